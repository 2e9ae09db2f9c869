// ROWS by COLS output-stationary sums: acc[i][j] = sum over steps of a[i] * b[j], from the step that is first to the one that is last.
// The operands of a step come at once; row i starts i cycles later and column j takes them j cycles later. With PAIR rows i and
// i + ROWS/2 share the multipliers of one line. drained_o holds acc of column 0, and of the columns behind it after each cycle of
// shift_i of that line (a bit for each). The sums of line i are all drained i + COLS + LATENCY + 2 cycles after the last step's operands.
// control_i: {valid, first, last} of the operands. a_i and b_i: a byte a row or column, row 0 lowest. drained_o: row 0 lowest.
module SystolicArray #(
  parameter int ROWS = 8,
  parameter int COLS = 8,
  parameter int BITS = 8,
  parameter bit PAIR = 1'b0,
  parameter int ACC_WIDTH = 24,
  localparam int LINES = PAIR ? ROWS / 2 : ROWS
) (
  input logic clk_i,
  input logic [2:0] control_i,
  input logic [ROWS*8-1:0] a_i,
  input logic [COLS*8-1:0] b_i,
  input logic [LINES-1:0] shift_i,
  output logic [ROWS*ACC_WIDTH-1:0] drained_o
);
  Require #(.HOLDS(ROWS >= 1 && COLS >= 1), .MESSAGE("expected one row and column or more")) u_require1 ();
  Require #(.HOLDS(!PAIR || ROWS % 2 == 0), .MESSAGE("expected an even number of rows with PAIR")) u_require2 ();

  localparam int OPERAND = PAIR ? 25 : 8;
  localparam int SUMS = PAIR ? 2 : 1;
  localparam int LATENCY = PAIR || BITS == 4 || BITS == 2 ? 2 : 1;

  // Between columns j-1 and j of a line, and between lines i-1 and i of a column.
  /* verilator lint_off UNUSEDSIGNAL */  // what leaves the last column and the last line
  logic [LINES*(COLS+1)*OPERAND-1:0] a;
  logic [LINES*(COLS+1)*3-1:0] control;
  logic [LINES*(COLS+1)*SUMS*ACC_WIDTH-1:0] drain;
  logic [(LINES+1)*COLS*8-1:0] b;
  /* verilator lint_on UNUSEDSIGNAL */

  for (genvar i = 0; i < LINES; i++) begin : g_line
    logic [OPERAND-1:0] operand;
    if (PAIR) begin : g_pack
      PackPair u_pack (.a0_i(a_i[i*8+:8]), .a1_i(a_i[(i+LINES)*8+:8]), .packed_o(operand));
    end else begin : g_byte
      assign operand = a_i[i*8+:8];
    end
    Delay #(.WIDTH(OPERAND), .CYCLES(i)) u_a (.clk_i, .d_i(operand), .q_o(a[i*(COLS+1)*OPERAND+:OPERAND]));
    Delay #(.WIDTH(3), .CYCLES(i + LATENCY)) u_control (.clk_i, .d_i(control_i), .q_o(control[i*(COLS+1)*3+:3]));
    assign drain[(i*(COLS+1)+COLS)*SUMS*ACC_WIDTH+:SUMS*ACC_WIDTH] = '0;
    for (genvar s = 0; s < SUMS; s++) begin : g_out
      assign drained_o[(i+s*LINES)*ACC_WIDTH+:ACC_WIDTH] = drain[(i*(COLS+1)*SUMS+s)*ACC_WIDTH+:ACC_WIDTH];
    end
    for (genvar j = 0; j < COLS; j++) begin : g_col
      ProcessingElement #(.BITS(BITS), .PAIR(PAIR), .ACC_WIDTH(ACC_WIDTH)) u_pe (
        .clk_i,
        .control_i(control[(i*(COLS+1)+j)*3+:3]),
        .a_i(a[(i*(COLS+1)+j)*OPERAND+:OPERAND]),
        .b_i(b[(i*COLS+j)*8+:8]),
        .shift_i(shift_i[i]),
        .drain_i(drain[(i*(COLS+1)+j+1)*SUMS*ACC_WIDTH+:SUMS*ACC_WIDTH]),
        .control_o(control[(i*(COLS+1)+j+1)*3+:3]),
        .a_o(a[(i*(COLS+1)+j+1)*OPERAND+:OPERAND]),
        .b_o(b[((i+1)*COLS+j)*8+:8]),
        .drain_o(drain[(i*(COLS+1)+j)*SUMS*ACC_WIDTH+:SUMS*ACC_WIDTH])
      );
    end
  end
  for (genvar j = 0; j < COLS; j++) begin : g_skew
    Delay #(.WIDTH(8), .CYCLES(j)) u_b (.clk_i, .d_i(b_i[j*8+:8]), .q_o(b[j*8+:8]));
  end
endmodule
