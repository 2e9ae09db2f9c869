// ok_o: Requantizer gives what RoundingSpecification gives for acc_i * multiplier_i, for every shift up to the product's bits and all
// bounds in order.
module RequantizerProof #(
  parameter int ACC_WIDTH = 16,
  parameter int MANTISSA = 8,
  parameter int OUT_WIDTH = 8,
  parameter int SHIFT_WIDTH = 6,
  parameter int LEFT = 0,
  parameter int ROUNDING = 0,
  localparam int PRODUCT = ACC_WIDTH + MANTISSA - 1 + LEFT
) (
  input logic clk_i,
  input logic signed [ACC_WIDTH-1:0] acc_i,
  input logic [MANTISSA-2:0] multiplier_i,
  input logic [SHIFT_WIDTH-1:0] shift_i,
  input logic signed [OUT_WIDTH:0] zero_point_i,
  input logic signed [OUT_WIDTH:0] min_i,
  input logic signed [OUT_WIDTH:0] max_i,
  output logic ok_o
);
  logic [OUT_WIDTH-1:0] y, specified;

  wire signed [PRODUCT-1:0] product = (PRODUCT'(acc_i) * $signed(PRODUCT'(multiplier_i))) <<< LEFT;

  Requantizer #(
    .ACC_WIDTH(ACC_WIDTH), .MANTISSA(MANTISSA), .OUT_WIDTH(OUT_WIDTH), .SHIFT_WIDTH(SHIFT_WIDTH), .LEFT(LEFT), .ROUNDING(ROUNDING)
  ) u_requantize (.clk_i, .enable_i(1'b1), .acc_i, .multiplier_i, .shift_i, .zero_point_i, .min_i, .max_i, .y_o(y));
  RoundingSpecification #(.IN_WIDTH(PRODUCT), .OUT_WIDTH(OUT_WIDTH), .SHIFT_WIDTH(SHIFT_WIDTH), .ROUNDING(ROUNDING)) u_specification (
    .x_i(product), .shift_i, .zero_point_i, .min_i, .max_i, .y_o(specified)
  );
  /* verilator lint_off CMPCONST */  // where PRODUCT is the largest shift_i
  assign ok_o = y == specified || min_i > max_i || 32'(shift_i) > PRODUCT;
  /* verilator lint_on CMPCONST */
endmodule
