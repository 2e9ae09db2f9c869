// y_o = clamp(round(x_i / 2^shift_i) + zero_point_i, min_i, max_i), three cycles later (of enabled ones). docs/arithmetic.md sections 2
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

  logic signed [IN_WIDTH:0] x_q, rounded_q;
  logic [SHIFT_WIDTH-1:0] shift_q, shift_qq;
  logic [IN_WIDTH:0] mask_q;  // 2^(shift-1) - 1
  logic more_q;
  logic signed [OUT_WIDTH+1:0] low_q, high_q;  // bounds before the zero point is added: no adder of full width follows the shift

  wire [IN_WIDTH:0] below = ((IN_WIDTH + 1)'(1) << shift_i) - 1'b1;
  wire signed [IN_WIDTH:0] kept = rounded_q >>> shift_qq;
  wire [OUT_WIDTH-1:0] clamped = kept < (IN_WIDTH + 1)'(low_q) ? low_q[OUT_WIDTH-1:0] : kept > (IN_WIDTH + 1)'(high_q)
                                 ? high_q[OUT_WIDTH-1:0] : kept[OUT_WIDTH-1:0];
  wire more = ROUNDING == 0 ? 1'($signed({x_i[IN_WIDTH-1], x_i}) >>> shift_i) : ROUNDING == 1 ? ~x_i[IN_WIDTH-1] : 1'b1;

  always_ff @(posedge clk_i) begin
    low_q <= (OUT_WIDTH + 2)'(min_i) - (OUT_WIDTH + 2)'(zero_point_i);
    high_q <= (OUT_WIDTH + 2)'(max_i) - (OUT_WIDTH + 2)'(zero_point_i);
    if (enable_i) begin
      x_q <= (IN_WIDTH + 1)'(x_i);
      shift_q <= shift_i;
      mask_q <= below >> 1;
      more_q <= more && shift_i != '0;
      rounded_q <= x_q + $signed(mask_q) + $signed({{IN_WIDTH{1'b0}}, more_q});
      shift_qq <= shift_q;
      y_o <= clamped + zero_point_i[OUT_WIDTH-1:0];
    end
  end
endmodule
