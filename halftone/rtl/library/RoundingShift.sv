// y_o = clamp(round(x_i / 2^shift_i) + zero_point_i, min_i, max_i), five cycles later (of enabled ones). docs/arithmetic.md sections 2
// and 6. ROUNDING: 0 half_even, 1 half_away, 2 half_up. For shift_i >= 1 the three add, before the bits are dropped,
// 2^(shift-1) - 1 and then: bit number shift of x_i, whether x_i >= 0, and 1.
// x_i: signed; shift_i: 0 to IN_WIDTH; zero_point_i, min_i, max_i: signed, and still while numbers pass; y_o: the low OUT_WIDTH bits.
module RoundingShift #(
  parameter int IN_WIDTH = 40,
  parameter int OUT_WIDTH = 8,
  parameter int SHIFT_WIDTH = 6,
  parameter int ROUNDING = 0
) (
  input logic clk_i,
  input logic enable_i,
  input logic signed [IN_WIDTH-1:0] x_i,
  input logic [SHIFT_WIDTH-1:0] shift_i,
  input logic signed [OUT_WIDTH:0] zero_point_i,
  input logic signed [OUT_WIDTH:0] min_i,
  input logic signed [OUT_WIDTH:0] max_i,
  output logic [OUT_WIDTH-1:0] y_o
);
  Require #(.HOLDS(ROUNDING >= 0 && ROUNDING <= 2), .MESSAGE("expected ROUNDING of 0, 1 or 2")) u_require1 ();
  Require #(.HOLDS(IN_WIDTH > OUT_WIDTH + 1), .MESSAGE("expected IN_WIDTH above OUT_WIDTH + 1")) u_require2 ();

  localparam int NEAR = OUT_WIDTH + 2;  // bits of the numbers that bounds without the zero point can be

  logic signed [IN_WIDTH:0] x_q, rounded_q, kept_q;
  logic [SHIFT_WIDTH-1:0] shift_q, shift_qq;
  logic [IN_WIDTH:0] mask_q;  // 2^(shift-1) - 1
  logic more_q;
  logic signed [NEAR-1:0] low_q, high_q;  // bounds before the zero point is added: no adder of full width follows the shift
  logic [OUT_WIDTH-1:0] clamped_q;

  wire [IN_WIDTH:0] below = ((IN_WIDTH + 1)'(1) << shift_i) - 1'b1;
  wire more = ROUNDING == 0 ? 1'($signed({x_i[IN_WIDTH-1], x_i}) >>> shift_i) : ROUNDING == 1 ? ~x_i[IN_WIDTH-1] : 1'b1;
  wire negative = kept_q[IN_WIDTH];
  wire is_near = kept_q[IN_WIDTH:NEAR-1] == {(IN_WIDTH - NEAR + 2) {negative}};
  wire signed [NEAR-1:0] near = kept_q[NEAR-1:0];
  wire is_low = is_near ? near < low_q : negative;
  wire is_high = is_near ? near > high_q : !negative;

  always_ff @(posedge clk_i) begin
    low_q <= NEAR'(min_i) - NEAR'(zero_point_i);
    high_q <= NEAR'(max_i) - NEAR'(zero_point_i);
    if (enable_i) begin
      x_q <= (IN_WIDTH + 1)'(x_i);
      shift_q <= shift_i;
      mask_q <= below >> 1;
      more_q <= more && shift_i != '0;
      rounded_q <= x_q + $signed(mask_q) + $signed({{IN_WIDTH{1'b0}}, more_q});
      shift_qq <= shift_q;
      kept_q <= rounded_q >>> shift_qq;
      clamped_q <= is_low ? low_q[OUT_WIDTH-1:0] : is_high ? high_q[OUT_WIDTH-1:0] : near[OUT_WIDTH-1:0];
      y_o <= clamped_q + zero_point_i[OUT_WIDTH-1:0];
    end
  end
endmodule
