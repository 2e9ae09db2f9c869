// sum_o = a_i + b_i in float32, four cycles later: rounded to the nearest, ties to even. Subnormal numbers count as 0 of their sign, in
// a_i and b_i and as results. Infinities and NaN as in IEEE 754; every NaN that comes out is 32'h7fc00000.
// Stages: order the two by magnitude; align the smaller one and add or subtract; bring the first set bit to the front; round.
module FloatAdder (
  input logic clk_i,
  input logic [31:0] a_i,
  input logic [31:0] b_i,
  output logic [31:0] sum_o
);
  logic [31:0] high_q;
  logic [23:0] low_q;
  logic [4:0] shift_q;
  logic subtract_q, subtract_qq, nan_q, nan_qq, nan_qqq;
  logic [26:0] aligned;
  logic [27:0] sum_q;
  logic sign_qq, sign_qqq, zero_qqq, infinite_qq, infinite_qqq;
  logic [7:0] exponent_qq;
  logic [4:0] zeros;
  logic signed [9:0] exponent_qqq;
  logic [24:0] fraction_qqq;

  wire b_larger = b_i[30:0] > a_i[30:0];
  wire [31:0] high = b_larger ? b_i : a_i;
  wire [30:0] low = b_larger ? a_i[30:0] : b_i[30:0];
  wire [7:0] a_over_b = a_i[30:23] - b_i[30:23], b_over_a = b_i[30:23] - a_i[30:23];
  wire [7:0] distance = b_larger ? b_over_a : a_over_b;

  always_ff @(posedge clk_i) begin
    high_q <= high;
    low_q <= low[30:23] == '0 ? '0 : {1'b1, low[22:0]};
    shift_q <= distance[7:5] != '0 ? '1 : distance[4:0];  // 31 or more: nothing but whether it was 0 is left of the smaller one
    subtract_q <= a_i[31] != b_i[31];
    nan_q <= high[30:0] > 31'h7f800000 || (a_i[31] != b_i[31] && low[30:23] == '1);
  end

  // Significands of 24 bits have three more bits below: the first two that are dropped, and whether anything below these is set.
  always_comb begin
    aligned = {low_q, 3'b0};
    for (int i = 0; i < 5; i++)
      if (shift_q[i]) aligned = (aligned >> (1 << i)) | {26'b0, (aligned & ((27'd1 << (1 << i)) - 27'd1)) != '0};
  end
  wire [26:0] high_significand = {high_q[30:23] != '0, high_q[30:23] == '0 ? 23'b0 : high_q[22:0], 3'b0};
  always_ff @(posedge clk_i) begin
    sum_q <= subtract_q ? {1'b0, high_significand} - {1'b0, aligned} : {1'b0, high_significand} + {1'b0, aligned};
    sign_qq <= high_q[31];
    exponent_qq <= high_q[30:23];
    subtract_qq <= subtract_q;
    infinite_qq <= high_q[30:23] == '1;
    nan_qq <= nan_q;
  end

  always_comb begin
    zeros = '0;
    for (int i = 0; i < 28; i++) if (sum_q[i]) zeros = 5'(27 - i);
  end
  wire [26:0] behind = 27'(sum_q << zeros);  // what follows the first set bit
  always_ff @(posedge clk_i) begin
    zero_qqq <= sum_q == '0;
    sign_qqq <= sign_qq && !(sum_q == '0 && subtract_qq);  // x - x is +0
    exponent_qqq <= {2'b0, exponent_qq} + 10'd1 - {5'b0, zeros};
    fraction_qqq <= {behind[26:3], behind[2:0] != '0};
    infinite_qqq <= infinite_qq;
    nan_qqq <= nan_qq;
  end
  FloatRounder u_round (
    .clk_i, .sign_i(sign_qqq), .exponent_i(exponent_qqq), .fraction_i(fraction_qqq), .zero_i(zero_qqq), .infinite_i(infinite_qqq),
    .nan_i(nan_qqq), .float_o(sum_o)
  );
endmodule
