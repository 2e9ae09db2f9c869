// ok_o: both products that one multiplier makes are exact.
module PairProof (
  input logic clk_i,
  input logic signed [7:0] a0_i,
  input logic signed [7:0] a1_i,
  input logic signed [7:0] b_i,
  output logic ok_o
);
  logic signed [24:0] packed_pair;
  logic signed [15:0] sum0, sum1;

  PackPair u_pack (.a0_i, .a1_i, .packed_o(packed_pair));
  PairProduct u_product (.clk_i, .packed_i(packed_pair), .b_i, .sum0_o(sum0), .sum1_o(sum1));
  assign ok_o = sum0 == 16'(a0_i) * 16'(b_i) && sum1 == 16'(a1_i) * 16'(b_i);
endmodule
