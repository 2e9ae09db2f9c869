// y_o = clamp(round((m_a * (a_i - a_zero_point_i) +- m_b * (b_i - b_zero_point_i)) / 2^shift_i) + zero_point_i, min_i, max_i), nine
// cycles later (of enabled ones): Add and Sub of docs/arithmetic.md section 7, mode `fixed`, with an exact sum, one rounding, one
// saturation.
// MANTISSA: B of 8, 16 or 32; a_multiplier_i and b_multiplier_i, of B-1 bits, are m_a and m_b; subtract_i: - instead of +, which is Sub.
// shift_i: B-1+n, and LEFT more where n may be so far below 0 that it has to shift left; 0 to MANTISSA + 10 + LEFT.
// a_i, b_i and their zero points: signed, one bit more than the WIDTH bits of either sign that the operands have. All but a_i, b_i and
// enable_i: still while numbers pass. y_o: the low OUT_WIDTH bits.
module ResidualAdd #(
  parameter int WIDTH = 8,
  parameter int MANTISSA = 32,
  parameter int OUT_WIDTH = 8,
  parameter int SHIFT_WIDTH = 6,
  parameter int LEFT = 0,
  parameter int ROUNDING = 0,
  parameter int A_PART = 24,
  parameter int B_PART = 17
) (
  input logic clk_i,
  input logic enable_i,
  input logic signed [WIDTH:0] a_i,
  input logic signed [WIDTH:0] b_i,
  input logic signed [WIDTH:0] a_zero_point_i,
  input logic signed [WIDTH:0] b_zero_point_i,
  input logic [MANTISSA-2:0] a_multiplier_i,
  input logic [MANTISSA-2:0] b_multiplier_i,
  input logic subtract_i,
  input logic [SHIFT_WIDTH-1:0] shift_i,
  input logic signed [OUT_WIDTH:0] zero_point_i,
  input logic signed [OUT_WIDTH:0] min_i,
  input logic signed [OUT_WIDTH:0] max_i,
  output logic [OUT_WIDTH-1:0] y_o
);
  Require #(.HOLDS(MANTISSA == 8 || MANTISSA == 16 || MANTISSA == 32), .MESSAGE("expected MANTISSA of 8, 16 or 32")) u_require1 ();
  Require #(.HOLDS(LEFT >= 0), .MESSAGE("expected LEFT of 0 or more")) u_require2 ();

  localparam int TERM = WIDTH + 2;  // of a_i - a_zero_point_i, and of its negative
  localparam int PRODUCT = TERM + MANTISSA - 1;
  localparam int SUM = PRODUCT + 1;

  logic signed [TERM-1:0] a_q, b_q;
  logic signed [PRODUCT-1:0] a_product, b_product;
  logic signed [SUM-1:0] sum_q;

  always_ff @(posedge clk_i)
    if (enable_i) begin
      a_q <= TERM'(a_i) - TERM'(a_zero_point_i);
      b_q <= subtract_i ? TERM'(b_zero_point_i) - TERM'(b_i) : TERM'(b_i) - TERM'(b_zero_point_i);
      sum_q <= SUM'(a_product) + SUM'(b_product);
    end
  SplitProduct #(.A_WIDTH(TERM), .B_WIDTH(MANTISSA - 1), .A_PART(A_PART), .B_PART(B_PART)) u_a (
    .clk_i, .enable_i, .a_i(a_q), .b_i(a_multiplier_i), .product_o(a_product)
  );
  SplitProduct #(.A_WIDTH(TERM), .B_WIDTH(MANTISSA - 1), .A_PART(A_PART), .B_PART(B_PART)) u_b (
    .clk_i, .enable_i, .a_i(b_q), .b_i(b_multiplier_i), .product_o(b_product)
  );
  RoundingShift #(.IN_WIDTH(SUM + LEFT), .OUT_WIDTH(OUT_WIDTH), .SHIFT_WIDTH(SHIFT_WIDTH), .ROUNDING(ROUNDING)) u_round (
    .clk_i, .enable_i, .x_i((SUM + LEFT)'(sum_q) <<< LEFT), .shift_i, .zero_point_i, .min_i, .max_i, .y_o
  );
endmodule
