// Takes the finished sums of a SystolicArray out, LANES of them a cycle: group g is the LINES_A_GROUP lines from g * LINES_A_GROUP on, and
// its columns come one after the other, column 0 first. A group starts as soon as its last line's sums are there, START + its number of
// cycles after the tile's last step.
// last_i marks that step. enable_i: what comes after takes sums. parameters_i: columns whose parameters have come; a tile waits for those of
// all of its columns. parameter_o: the column whose parameters belong to the sums.
// shift_o and group_o say which lines give their sums in this cycle, valid_o that they do, last_o that they are the product's last, and
// drained_o that they are the tile's last.
module DrainSequencer #(
  parameter int LINES = 8,
  parameter int LINES_A_GROUP = 2,
  parameter int COLS = 8,
  parameter int START = 12,
  parameter int B_DEPTH = 1024,
  parameter int PARAMETERS = 64,
  localparam int GROUPS = LINES / LINES_A_GROUP,
  localparam int GROUP = GROUPS > 1 ? $clog2(GROUPS) : 1,
  localparam int COL = COLS > 1 ? $clog2(COLS) : 1,
  localparam int PARAMETER = $clog2(PARAMETERS),
  localparam int B_ADDRESS = $clog2(B_DEPTH)
) (
  input logic clk_i,
  input logic rst_ni,
  input logic [B_ADDRESS:0] col_tiles_i,
  input logic [15:0] row_tiles_i,
  input logic last_i,
  input logic enable_i,
  input logic [PARAMETER:0] parameters_i,
  output logic [PARAMETER-1:0] parameter_o,
  output logic [LINES-1:0] shift_o,
  output logic [GROUP-1:0] group_o,
  output logic valid_o,
  output logic last_o,
  output logic drained_o
);
  Require #(.HOLDS(LINES % LINES_A_GROUP == 0), .MESSAGE("expected LINES to be a multiple of LINES_A_GROUP")) u_require ();

  localparam int AGE = $clog2(START + LINES + LINES_A_GROUP + 1);

  logic busy_q;
  logic [AGE-1:0] age_q;               // cycles since the last step
  logic [AGE-1:0] due_q, later_due_q;  // when the group and the next one are due
  logic is_due_q;
  logic [GROUP-1:0] group_q;
  logic [COL-1:0] col_q;
  logic [PARAMETER-1:0] parameter_q, base_q;  // base_q: of the tile's column 0
  logic [PARAMETER:0] end_q;                  // behind those of its last column
  logic there_q, last_tile_q;  // from registers: a tile is not done before they are right
  logic [B_ADDRESS:0] col_tile_q;
  logic [15:0] row_tile_q;
  logic [B_ADDRESS:0] last_col_tile_q;  // what the counters end with: of numbers that are still
  logic [15:0] last_row_tile_q;

  wire last_col = col_q == COL'(COLS - 1);
  wire last_group = group_q == GROUP'(GROUPS - 1);
  wire go = busy_q && is_due_q && enable_i && there_q;
  wire leaves_group = go && last_col;
  wire [AGE-1:0] next_age = age_q != AGE'(START + LINES) ? age_q + 1'b1 : age_q;

  assign valid_o = go;
  assign group_o = group_q;
  assign parameter_o = parameter_q;
  assign drained_o = go && last_col && last_group;
  assign last_o = drained_o && last_tile_q && row_tile_q == last_row_tile_q;
  for (genvar i = 0; i < LINES; i++) begin : g_shift
    assign shift_o[i] = go && group_q == GROUP'(i / LINES_A_GROUP);
  end

  always_ff @(posedge clk_i) begin
    last_col_tile_q <= col_tiles_i - 1'b1;
    last_row_tile_q <= row_tiles_i - 1'b1;
    last_tile_q <= col_tile_q == last_col_tile_q;
    age_q <= last_i ? AGE'(1) : next_age;
    is_due_q <= !last_i && next_age >= (leaves_group ? later_due_q : due_q);
    if (!rst_ni || drained_o) begin
      due_q <= AGE'(START + LINES_A_GROUP - 1);
      later_due_q <= AGE'(START + 2 * LINES_A_GROUP - 1);
    end else if (leaves_group) begin
      due_q <= later_due_q;
      later_due_q <= later_due_q + AGE'(LINES_A_GROUP);
    end
    if (!rst_ni) begin
      busy_q <= 1'b0;
      base_q <= '0;
      end_q <= (PARAMETER + 1)'(COLS);
      parameter_q <= '0;
      there_q <= 1'b0;
      col_tile_q <= '0;
      row_tile_q <= '0;
    end else begin
      there_q <= parameters_i >= end_q;
      if (go) parameter_q <= !last_col ? parameter_q + 1'b1 : !last_group ? base_q : last_tile_q ? '0 : end_q[PARAMETER-1:0];
      if (drained_o) busy_q <= 1'b0;
      if (last_i) busy_q <= 1'b1;
      if (drained_o) begin
        col_tile_q <= last_tile_q ? '0 : col_tile_q + 1'b1;
        base_q <= last_tile_q ? '0 : end_q[PARAMETER-1:0];
        end_q <= (last_tile_q ? '0 : end_q) + (PARAMETER + 1)'(COLS);
        if (last_tile_q) row_tile_q <= last_o ? '0 : row_tile_q + 1'b1;
      end
    end
    if (!rst_ni || drained_o) begin
      group_q <= '0;
      col_q <= '0;
    end else if (go) begin
      col_q <= last_col ? '0 : col_q + 1'b1;
      if (last_col) group_q <= group_q + 1'b1;
    end
  end
endmodule
