// y[m][n] = clamp(round((sum over k of a[m][k] * b[k][n] + bias[n]) * multiplier[n] / 2^shift[n]) + zero_point, min, max): a product of
// matrices on a SystolicArray, tile after tile, loading while it computes. docs/arithmetic.md sections 4 to 6.
//
// A step takes a byte a row and a byte a column: one number of 8 bits, two of 4, four of 2 or eight of 1 (BITS), along k, low bits first.
// Matrices are padded to whole bytes, tiles and columns.
//   a_*: for each row tile, for each step, ROWS bytes, row 0 lowest.
//   b_*: for each column tile, for each step, COLS bytes.
//   p_*: for each column {shift, multiplier, bias}.
//   y_*: for each row tile, column tile, group of LANES rows and column, LANES bytes. With PAIR, group g is the rows from g * LANES/2 on
//        and, as the higher half, those from ROWS/2 + g * LANES/2 on. y_last_o marks the product's last word.
// Counts and bounds stay still during a product: steps_i bytes along k, row_tiles_i, col_tiles_i, b_words_i = steps * col_tiles,
// p_words_i = COLS * col_tiles. A_DEPTH >= 2 * steps lets the next row tile load while one computes.
module MatmulArray #(
  parameter int ROWS = 8,
  parameter int COLS = 8,
  parameter int BITS = 8,
  parameter bit PAIR = 1'b0,
  parameter int LANES = 2,
  parameter int ACC_WIDTH = 24,
  parameter int MANTISSA = 16,
  parameter int SHIFT_WIDTH = 6,
  parameter int ROUNDING = 0,
  parameter int A_DEPTH = 256,
  parameter int B_DEPTH = 1024,
  parameter int PARAMETERS = 128,
  parameter int A_PART = 24,
  parameter int B_PART = 17,
  localparam int A_ADDRESS = $clog2(A_DEPTH),
  localparam int B_ADDRESS = $clog2(B_DEPTH),
  localparam int P_WIDTH = ACC_WIDTH + MANTISSA - 1 + SHIFT_WIDTH,
  localparam int P_ADDRESS = $clog2(PARAMETERS)
) (
  input logic clk_i,
  input logic rst_ni,
  input logic [A_ADDRESS:0] steps_i,
  input logic [B_ADDRESS:0] col_tiles_i,
  input logic [15:0] row_tiles_i,
  input logic [B_ADDRESS:0] b_words_i,
  input logic [P_ADDRESS:0] p_words_i,
  input logic signed [8:0] zero_point_i,
  input logic signed [8:0] min_i,
  input logic signed [8:0] max_i,
  input logic [ROWS*8-1:0] a_data_i,
  input logic a_valid_i,
  output logic a_ready_o,
  input logic [COLS*8-1:0] b_data_i,
  input logic b_valid_i,
  output logic b_ready_o,
  input logic [P_WIDTH-1:0] p_data_i,
  input logic p_valid_i,
  output logic p_ready_o,
  output logic [LANES*8-1:0] y_data_o,
  output logic y_last_o,
  output logic y_valid_o,
  input logic y_ready_i
);
  localparam int LINES = PAIR ? ROWS / 2 : ROWS;
  localparam int LINES_A_GROUP = PAIR ? LANES / 2 : LANES;
  localparam int GROUPS = LINES / LINES_A_GROUP;
  localparam int GROUP = GROUPS > 1 ? $clog2(GROUPS) : 1;
  localparam int LATENCY = PAIR || BITS == 4 || BITS == 2 ? 2 : 1;
  // From a step's addresses to the drained sums of line 0: the memories' cycle, then as SystolicArray says.
  localparam int START = COLS + LATENCY + 3;
  localparam int REQUANTIZE = 10;  // the register behind the choice of a line, bias, Requantizer

  Require #(.HOLDS(!PAIR || LANES % 2 == 0), .MESSAGE("expected an even number of LANES with PAIR")) u_require1 ();
  Require #(.HOLDS(LINES % LINES_A_GROUP == 0), .MESSAGE("expected ROWS to be a multiple of LANES")) u_require2 ();
  Require #(.HOLDS(ACC_WIDTH >= (BITS == 8 ? 17 : 10)), .MESSAGE("expected ACC_WIDTH that holds a product")) u_require3 ();

  logic [A_ADDRESS-1:0] a_waddr, a_raddr;
  logic [B_ADDRESS-1:0] b_waddr, b_raddr;
  logic [ROWS*8-1:0] a;
  logic [COLS*8-1:0] b;
  logic [2:0] control, control_q;
  logic [LINES-1:0] shift;
  logic [ROWS*ACC_WIDTH-1:0] drained;
  logic [GROUP-1:0] group;
  logic [P_ADDRESS:0] p_written_q;
  logic [P_ADDRESS-1:0] p_read;
  logic [P_WIDTH-1:0] p_data;
  logic [P_WIDTH-ACC_WIDTH-1:0] scale_q;  // beside the sums to which the bias has been added
  logic [REQUANTIZE-1:0] valid_q, last_q;
  logic [LANES*8-1:0] y;
  logic drain_valid, drain_last, restart_q, tile_drained, enable;

  TileSequencer #(.A_DEPTH(A_DEPTH), .B_DEPTH(B_DEPTH)) u_steps (
    .clk_i, .rst_ni, .restart_i(restart_q), .steps_i, .col_tiles_i, .row_tiles_i, .b_words_i,
    .a_valid_i, .a_ready_o, .a_waddr_o(a_waddr), .a_raddr_o(a_raddr),
    .b_valid_i, .b_ready_o, .b_waddr_o(b_waddr), .b_raddr_o(b_raddr),
    .drained_i(tile_drained), .control_o(control)
  );
  TileMemory #(.WIDTH(ROWS * 8), .DEPTH(A_DEPTH)) u_a (
    .clk_i, .write_i(a_valid_i && a_ready_o), .waddr_i(a_waddr), .wdata_i(a_data_i), .read_i(1'b1), .raddr_i(a_raddr), .rdata_o(a)
  );
  TileMemory #(.WIDTH(COLS * 8), .DEPTH(B_DEPTH)) u_b (
    .clk_i, .write_i(b_valid_i && b_ready_o), .waddr_i(b_waddr), .wdata_i(b_data_i), .read_i(1'b1), .raddr_i(b_raddr), .rdata_o(b)
  );
  always_ff @(posedge clk_i) begin
    control_q <= control;
    restart_q <= drain_last && rst_ni;
  end
  SystolicArray #(.ROWS(ROWS), .COLS(COLS), .BITS(BITS), .PAIR(PAIR), .ACC_WIDTH(ACC_WIDTH)) u_array (
    .clk_i, .control_i(control_q), .a_i(a), .b_i(b), .shift_i(shift), .drained_o(drained)
  );
  DrainSequencer #(
    .LINES(LINES), .LINES_A_GROUP(LINES_A_GROUP), .COLS(COLS), .START(START), .B_DEPTH(B_DEPTH), .PARAMETERS(PARAMETERS)
  ) u_drain (
    .clk_i, .rst_ni, .col_tiles_i, .row_tiles_i, .last_i(control[2] && control[0]), .enable_i(enable),
    .parameters_i(p_written_q), .parameter_o(p_read), .shift_o(shift), .group_o(group),
    .valid_o(drain_valid), .last_o(drain_last), .drained_o(tile_drained)
  );

  assign p_ready_o = p_written_q != p_words_i;
  always_ff @(posedge clk_i)
    if (!rst_ni || restart_q) p_written_q <= '0;
    else if (p_valid_i && p_ready_o) p_written_q <= p_written_q + 1'b1;
  TileMemory #(.WIDTH(P_WIDTH), .DEPTH(PARAMETERS)) u_p (
    .clk_i, .write_i(p_valid_i && p_ready_o), .waddr_i(p_written_q[P_ADDRESS-1:0]), .wdata_i(p_data_i),
    .read_i(enable), .raddr_i(p_read), .rdata_o(p_data)
  );

  always_ff @(posedge clk_i) if (enable) scale_q <= p_data[P_WIDTH-1:ACC_WIDTH];
  for (genvar l = 0; l < LANES; l++) begin : g_lane
    // Lane l of group g gives line g * LINES_A_GROUP + l; with PAIR the lanes of the higher half the same lines' second rows.
    localparam int ROW = l % LINES_A_GROUP + (l / LINES_A_GROUP) * LINES;
    logic [ACC_WIDTH-1:0] chosen, chosen_q, sum_q;
    always_comb begin
      chosen = '0;
      for (int g = 0; g < GROUPS; g++) if (group == GROUP'(g)) chosen = drained[(ROW+g*LINES_A_GROUP)*ACC_WIDTH+:ACC_WIDTH];
    end
    always_ff @(posedge clk_i)
      if (enable) begin
        chosen_q <= chosen;
        sum_q <= chosen_q + p_data[ACC_WIDTH-1:0];
      end
    Requantizer #(
      .ACC_WIDTH(ACC_WIDTH), .MANTISSA(MANTISSA), .SHIFT_WIDTH(SHIFT_WIDTH), .ROUNDING(ROUNDING), .A_PART(A_PART), .B_PART(B_PART)
    ) u_requantize (
      .clk_i, .enable_i(enable), .acc_i(sum_q), .multiplier_i(scale_q[MANTISSA-2:0]),
      .shift_i(scale_q[MANTISSA-1+:SHIFT_WIDTH]), .zero_point_i, .min_i, .max_i, .y_o(y[l*8+:8])
    );
  end

  always_ff @(posedge clk_i)
    if (!rst_ni) valid_q <= '0;
    else if (enable) begin
      valid_q <= {valid_q[REQUANTIZE-2:0], drain_valid};
      last_q <= {last_q[REQUANTIZE-2:0], drain_last};
    end
  SkidBuffer #(.WIDTH(LANES * 8 + 1)) u_out (
    .clk_i, .rst_ni, .in_data_i({last_q[REQUANTIZE-1], y}), .in_valid_i(valid_q[REQUANTIZE-1]), .in_ready_o(enable),
    .out_data_o({y_last_o, y_data_o}), .out_valid_o(y_valid_o), .out_ready_i(y_ready_i)
  );
endmodule
