// y_o = clamp(round(acc_i / 2^shift_i) + zero_point_i, min_i, max_i), six cycles later (of enabled ones): mode `shift` of
// docs/arithmetic.md section 6, where scales are powers of two, without a multiplier.
// shift_i: n, and LEFT more where n may be so far below 0 that it has to shift left; 0 to ACC_WIDTH + LEFT.
// acc_i: signed; zero_point_i, min_i, max_i: signed, and still while numbers pass; y_o: the low OUT_WIDTH bits.
module ShiftRequantizer #(
  parameter int ACC_WIDTH = 24,
  parameter int OUT_WIDTH = 8,
  parameter int SHIFT_WIDTH = 6,
  parameter int LEFT = 0,
  parameter int ROUNDING = 0
) (
  input logic clk_i,
  input logic enable_i,
  input logic signed [ACC_WIDTH-1:0] acc_i,
  input logic [SHIFT_WIDTH-1:0] shift_i,
  input logic signed [OUT_WIDTH:0] zero_point_i,
  input logic signed [OUT_WIDTH:0] min_i,
  input logic signed [OUT_WIDTH:0] max_i,
  output logic [OUT_WIDTH-1:0] y_o
);
  Require #(.HOLDS(LEFT >= 0), .MESSAGE("expected LEFT of 0 or more")) u_require ();

  logic signed [ACC_WIDTH-1:0] acc_q;
  logic [SHIFT_WIDTH-1:0] shift_q;

  always_ff @(posedge clk_i)
    if (enable_i) begin
      acc_q <= acc_i;
      shift_q <= shift_i;
    end
  RoundingShift #(.IN_WIDTH(ACC_WIDTH + LEFT), .OUT_WIDTH(OUT_WIDTH), .SHIFT_WIDTH(SHIFT_WIDTH), .ROUNDING(ROUNDING)) u_round (
    .clk_i, .enable_i, .x_i((ACC_WIDTH + LEFT)'(acc_q) <<< LEFT), .shift_i(shift_q), .zero_point_i, .min_i, .max_i, .y_o
  );
endmodule
