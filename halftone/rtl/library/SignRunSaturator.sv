// out_o = min(max(in_i, -2^(OUT_WIDTH-1)), 2^(OUT_WIDTH-1) - 1) without a comparator: in_i fits where the bits from OUT_WIDTH-1 up
// are a run of one sign. Combinational. in_i and out_o: signed.
module SignRunSaturator #(
  parameter int IN_WIDTH = 32,
  parameter int OUT_WIDTH = 8
) (
  input logic signed [IN_WIDTH-1:0] in_i,
  output logic signed [OUT_WIDTH-1:0] out_o
);
  Require #(.HOLDS(OUT_WIDTH >= 2 && OUT_WIDTH <= IN_WIDTH), .MESSAGE("expected OUT_WIDTH from 2 to IN_WIDTH")) u_require ();

  wire sign = in_i[IN_WIDTH-1];
  wire fits = in_i[IN_WIDTH-1:OUT_WIDTH-1] == {(IN_WIDTH - OUT_WIDTH + 1) {sign}};

  assign out_o = fits ? in_i[OUT_WIDTH-1:0] : {sign, {(OUT_WIDTH - 1) {~sign}}};
endmodule
