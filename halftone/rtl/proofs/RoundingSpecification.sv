// y_o = clamp(round(x_i / 2^shift_i) + zero_point_i, min_i, max_i) as docs/arithmetic.md section 2 says it: quotient and remainder, in
// integers wide enough for everything, and the remainder compared with one half. ROUNDING: 0 half_even, 1 half_away, 2 half_up.
module RoundingSpecification #(
  parameter int IN_WIDTH = 16,
  parameter int OUT_WIDTH = 8,
  parameter int SHIFT_WIDTH = 6,
  parameter int ROUNDING = 0
) (
  input logic signed [IN_WIDTH-1:0] x_i,
  input logic [SHIFT_WIDTH-1:0] shift_i,
  input logic signed [OUT_WIDTH:0] zero_point_i,
  input logic signed [OUT_WIDTH:0] min_i,
  input logic signed [OUT_WIDTH:0] max_i,
  output logic [OUT_WIDTH-1:0] y_o
);
  localparam int WIDE = IN_WIDTH + 3;

  wire signed [WIDE-1:0] x = WIDE'(x_i);
  wire signed [WIDE-1:0] one = $signed(WIDE'(1)) <<< shift_i;
  wire signed [WIDE-1:0] quotient = x >>> shift_i;
  wire signed [WIDE-1:0] twice_remainder = (x & (one - $signed(WIDE'(1)))) <<< 1;
  wire tie_up = ROUNDING == 0 ? quotient[0] : ROUNDING == 1 ? x >= 0 : 1'b1;
  wire up = twice_remainder > one || (twice_remainder == one && tie_up);
  wire signed [WIDE-1:0] sum = quotient + $signed({{(WIDE - 1){1'b0}}, up}) + WIDE'(zero_point_i);
  /* verilator lint_off UNUSEDSIGNAL */
  wire signed [WIDE-1:0] clamped = sum < WIDE'(min_i) ? WIDE'(min_i) : sum > WIDE'(max_i) ? WIDE'(max_i) : sum;
  /* verilator lint_on UNUSEDSIGNAL */

  assign y_o = clamped[OUT_WIDTH-1:0];
endmodule
