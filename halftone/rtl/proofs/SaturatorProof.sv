// ok_o: the saturators without a comparator give what Saturator gives.
module SaturatorProof #(
  parameter int IN_WIDTH = 32
) (
  input logic signed [IN_WIDTH-1:0] in_i,
  output logic ok_o
);
  logic [7:0] int8, uint8, run, high;

  Saturator #(.IN_WIDTH(IN_WIDTH), .MIN(-128), .MAX(127)) u_int8 (.in_i, .out_o(int8));
  SignRunSaturator #(.IN_WIDTH(IN_WIDTH)) u_run (.in_i, .out_o(run));
  Saturator #(.IN_WIDTH(IN_WIDTH), .MIN(0), .MAX(255)) u_uint8 (.in_i, .out_o(uint8));
  Uint8Saturator #(.IN_WIDTH(IN_WIDTH)) u_high (.in_i, .out_o(high));
  assign ok_o = int8 == run && uint8 == high;
endmodule
