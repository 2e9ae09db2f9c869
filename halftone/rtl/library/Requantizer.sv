// y_o = clamp(round(acc_i * multiplier_i / 2^shift_i) + zero_point_i, min_i, max_i), eight cycles later (of enabled ones): mode `fixed`
// of docs/arithmetic.md section 6, exact product, one rounding, one saturation.
// MANTISSA: B of 8, 16 or 32, multiplier_i of B-1 bits. shift_i: B-1+n, and LEFT more where n may be so far below 0 that it has to shift left.
// Multipliers of 25 by 18 bits (A_PART 24, B_PART 17): one for B of 8 and 16 and ACC_WIDTH up to 25, two for B of 32.
// acc_i: signed; zero_point_i, min_i, max_i: signed, and still while numbers pass; y_o: the low OUT_WIDTH bits.
module Requantizer #(
  parameter int ACC_WIDTH = 24,
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
  input logic signed [ACC_WIDTH-1:0] acc_i,
  input logic [MANTISSA-2:0] multiplier_i,
  input logic [SHIFT_WIDTH-1:0] shift_i,
  input logic signed [OUT_WIDTH:0] zero_point_i,
  input logic signed [OUT_WIDTH:0] min_i,
  input logic signed [OUT_WIDTH:0] max_i,
  output logic [OUT_WIDTH-1:0] y_o
);
  Require #(.HOLDS(MANTISSA == 8 || MANTISSA == 16 || MANTISSA == 32), .MESSAGE("expected MANTISSA of 8, 16 or 32")) u_require1 ();
  Require #(.HOLDS(LEFT >= 0), .MESSAGE("expected LEFT of 0 or more")) u_require2 ();

  localparam int PRODUCT = ACC_WIDTH + MANTISSA - 1;

  logic signed [ACC_WIDTH-1:0] acc_q;
  logic [MANTISSA-2:0] multiplier_q;
  logic [SHIFT_WIDTH-1:0] shift_q, shift_qq, shift_qqq;
  logic signed [PRODUCT-1:0] product;

  always_ff @(posedge clk_i)
    if (enable_i) begin
      acc_q <= acc_i;
      multiplier_q <= multiplier_i;
      shift_q <= shift_i;
      shift_qq <= shift_q;
      shift_qqq <= shift_qq;
    end
  SplitProduct #(.A_WIDTH(ACC_WIDTH), .B_WIDTH(MANTISSA - 1), .A_PART(A_PART), .B_PART(B_PART)) u_product (
    .clk_i, .enable_i, .a_i(acc_q), .b_i(multiplier_q), .product_o(product)
  );
  RoundingShift #(.IN_WIDTH(PRODUCT + LEFT), .OUT_WIDTH(OUT_WIDTH), .SHIFT_WIDTH(SHIFT_WIDTH), .ROUNDING(ROUNDING)) u_round (
    .clk_i, .enable_i, .x_i((PRODUCT + LEFT)'(product) <<< LEFT), .shift_i(shift_qqq), .zero_point_i, .min_i, .max_i, .y_o
  );
endmodule
