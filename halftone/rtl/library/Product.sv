// sum_o = a_i * b_i, one cycle later: one multiplier. Signed integers of 8 bits; -128 * -128 fits.
module Product (
  input logic clk_i,
  input logic signed [7:0] a_i,
  input logic signed [7:0] b_i,
  output logic signed [15:0] sum_o
);
  always_ff @(posedge clk_i) sum_o <= a_i * b_i;
endmodule
