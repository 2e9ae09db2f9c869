// ok_o: BinaryDot and NarrowDot of both sizes give the sums written out.
module DotProof (
  input logic clk_i,
  input logic [7:0] a_i,
  input logic [7:0] b_i,
  output logic ok_o
);
  logic [3:0] ones;
  logic signed [5:0] twos;
  logic signed [8:0] fours;

  wire signed [3:0] a0 = a_i[3:0], a1 = a_i[7:4], b0 = b_i[3:0], b1 = b_i[7:4];
  wire signed [1:0] c0 = a_i[1:0], c1 = a_i[3:2], c2 = a_i[5:4], c3 = a_i[7:6];
  wire signed [1:0] d0 = b_i[1:0], d1 = b_i[3:2], d2 = b_i[5:4], d3 = b_i[7:6];
  logic signed [4:0] products;  // of bits that stand for -1 and +1

  always_comb begin
    products = '0;
    for (int i = 0; i < 8; i++) products = products + (a_i[i] == b_i[i] ? 5'sd1 : -5'sd1);
  end
  BinaryDot u_ones (.clk_i, .a_i, .b_i, .sum_o(ones));
  NarrowDot #(.BITS(2)) u_twos (.clk_i, .a_i, .b_i, .sum_o(twos));
  NarrowDot #(.BITS(4)) u_fours (.clk_i, .a_i, .b_i, .sum_o(fours));
  assign ok_o = 6'(products) == 6'sd2 * $signed({2'b0, ones}) - 6'sd8 && twos == 6'(c0) * 6'(d0) + 6'(c1) * 6'(d1) + 6'(c2) * 6'(d2)
                + 6'(c3) * 6'(d3) && fours == 9'(a0) * 9'(b0) + 9'(a1) * 9'(b1);
endmodule
