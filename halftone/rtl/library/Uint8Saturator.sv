// out_o = min(max(in_i, 0), 255) by one comparison (with 0, of the bits above the eighth) and two multiplexers: a set sign gives 0, any
// other set bit above the eighth 255. Combinational. in_i: signed; out_o: unsigned.
module Uint8Saturator #(
  parameter int IN_WIDTH = 32
) (
  input logic signed [IN_WIDTH-1:0] in_i,
  output logic [7:0] out_o
);
  Require #(.HOLDS(IN_WIDTH >= 10), .MESSAGE("expected IN_WIDTH of 10 or more")) u_require ();

  assign out_o = in_i[IN_WIDTH-1] ? 8'd0 : in_i[IN_WIDTH-2:8] != '0 ? 8'd255 : in_i[7:0];
endmodule
