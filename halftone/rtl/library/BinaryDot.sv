// sum_o = how many of eight bits of a_i and b_i are equal, one cycle later (XNOR and popcount). For bits that stand for -1 and +1,
// sum of products = 2 * sum_o - 8; for weights of -1 and +1 and activations of 0 and 1, sum = sum_o - 8 + how many weights are +1.
// The constants belong into the bias.
module BinaryDot (
  input logic clk_i,
  input logic [7:0] a_i,
  input logic [7:0] b_i,
  output logic [3:0] sum_o
);
  logic [3:0] ones;

  always_comb begin
    ones = '0;
    for (int i = 0; i < 8; i++) ones = ones + {3'b0, a_i[i] ~^ b_i[i]};
  end
  always_ff @(posedge clk_i) sum_o <= ones;
endmodule
