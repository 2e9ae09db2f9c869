// ok_o: RoundingShift gives what RoundingSpecification gives, for every shift up to IN_WIDTH and all bounds in order.
module RoundingShiftProof #(
  parameter int IN_WIDTH = 63,
  parameter int OUT_WIDTH = 8,
  parameter int SHIFT_WIDTH = 6,
  parameter int ROUNDING = 0
) (
  input logic clk_i,
  input logic signed [IN_WIDTH-1:0] x_i,
  input logic [SHIFT_WIDTH-1:0] shift_i,
  input logic signed [OUT_WIDTH:0] zero_point_i,
  input logic signed [OUT_WIDTH:0] min_i,
  input logic signed [OUT_WIDTH:0] max_i,
  output logic ok_o
);
  logic [OUT_WIDTH-1:0] y, specified;

  RoundingShift #(.IN_WIDTH(IN_WIDTH), .OUT_WIDTH(OUT_WIDTH), .SHIFT_WIDTH(SHIFT_WIDTH), .ROUNDING(ROUNDING)) u_round (
    .clk_i, .enable_i(1'b1), .x_i, .shift_i, .zero_point_i, .min_i, .max_i, .y_o(y)
  );
  RoundingSpecification #(.IN_WIDTH(IN_WIDTH), .OUT_WIDTH(OUT_WIDTH), .SHIFT_WIDTH(SHIFT_WIDTH), .ROUNDING(ROUNDING)) u_specification (
    .x_i, .shift_i, .zero_point_i, .min_i, .max_i, .y_o(specified)
  );
  /* verilator lint_off CMPCONST */  // where IN_WIDTH is the largest shift_i
  assign ok_o = y == specified || min_i > max_i || 32'(shift_i) > IN_WIDTH;
  /* verilator lint_on CMPCONST */
endmodule
