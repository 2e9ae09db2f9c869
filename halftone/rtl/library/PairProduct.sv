// sum0_o = a0 * b_i and sum1_o = a1 * b_i, two cycles later, from one multiplier of 25 by 8 bits: packed_i is PackPair's
// a1 * 2^16 + a0, so the product's low 16 bits are a0 * b, and what is above them is a1 * b, less one where a0 * b is negative.
// Exact for every a0, a1 and b of 8 signed bits.
module PairProduct (
  input logic clk_i,
  input logic signed [24:0] packed_i,
  input logic signed [7:0] b_i,
  output logic signed [15:0] sum0_o,
  output logic signed [15:0] sum1_o
);
  logic signed [31:0] product_q;

  always_ff @(posedge clk_i) begin
    product_q <= packed_i * b_i;
    sum0_o <= product_q[15:0];
    sum1_o <= product_q[31:16] + {15'b0, product_q[15]};
  end
endmodule
