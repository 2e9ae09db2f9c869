// c[i][j] = sum over k of a[i][k] * b[k][j] with one multiplier and one adder, one product a cycle. FLOATS says how many operands are
// float32; the others are signed integers of 8 bits:
//   0  the sum has 16 bits and wraps; c is the sum clamped to -128..127 at the end, or with CLAMP of 0 its low 8 bits.
//   1  a is float32, b is converted to float32 before the product, c is float32.
//   2  a, b and c are float32.
// A float32 sum begins with +0 and takes its products in the order of k, each rounded and each added with another rounding. SLOTS outputs
// of a row take turns, so that a sum comes out of the adder when its next product does.
//
// Both operands are loaded first, side by side or not, then c is computed into a memory, then it leaves: all row after row, an element
// a cycle. y_last_o marks the last. Cycles from the first element taken to the last one given, when nothing waits:
// max(ROWS * DEPTH, DEPTH * COLS) + ROWS * DEPTH * COLS + ROWS * COLS + 6 (FLOATS of 0), 13 (1) or 12 (2).
module SingleMultiplier #(
  parameter int ROWS = 64,
  parameter int DEPTH = 128,
  parameter int COLS = 64,
  parameter int FLOATS = 0,
  parameter bit CLAMP = 1'b1,
  localparam int A_WIDTH = FLOATS >= 1 ? 32 : 8,
  localparam int B_WIDTH = FLOATS >= 2 ? 32 : 8
) (
  input logic clk_i,
  input logic rst_ni,
  input logic [A_WIDTH-1:0] a_data_i,
  input logic a_valid_i,
  output logic a_ready_o,
  input logic [B_WIDTH-1:0] b_data_i,
  input logic b_valid_i,
  output logic b_ready_o,
  output logic [A_WIDTH-1:0] y_data_o,
  output logic y_last_o,
  output logic y_valid_o,
  input logic y_ready_i
);
  localparam int SLOTS = FLOATS >= 1 ? 4 : 1;  // FloatAdder's latency
  localparam int PRODUCT = FLOATS == 0 ? 1 : FLOATS == 1 ? 5 : 4;  // cycles from operands to product
  localparam int FINISH = 1 + PRODUCT + SLOTS;  // from a step's addresses to the sum that it makes
  localparam int ROW = $clog2(ROWS);
  localparam int K = $clog2(DEPTH);
  localparam int COL = $clog2(COLS);
  localparam int SLOT = $clog2(SLOTS);
  localparam int STEP = ROW + K + COL;
  localparam int A_ADDRESS = ROW + K;
  localparam int B_ADDRESS = K + COL;
  localparam int Y_ADDRESS = ROW + COL;
  localparam int WORD = B_ADDRESS > Y_ADDRESS ? B_ADDRESS : Y_ADDRESS;

  Require #(.HOLDS(FLOATS >= 0 && FLOATS <= 2), .MESSAGE("expected FLOATS of 0, 1 or 2")) u_require1 ();
  Require #(.HOLDS(ROWS >= 2 && ROWS == 2 ** ROW), .MESSAGE("expected ROWS of a power of two, 2 or more")) u_require2 ();
  Require #(.HOLDS(DEPTH >= 2 && DEPTH == 2 ** K), .MESSAGE("expected DEPTH of a power of two, 2 or more")) u_require3 ();
  Require #(.HOLDS(COLS >= 2 && COLS == 2 ** COL), .MESSAGE("expected COLS of a power of two, 2 or more")) u_require4 ();
  Require #(.HOLDS(COLS % SLOTS == 0), .MESSAGE("expected COLS to be a multiple of the adder's 4 stages")) u_require5 ();

  logic loading_q, giving_q;  // and between the two it computes
  // step_q counts a's elements, then the steps {i, j / SLOTS, k, j % SLOTS}; word_q b's elements, then c's, written and read.
  logic [STEP:0] step_q;
  logic [WORD:0] word_q;
  logic [FINISH-1:0] last_q;
  logic [A_WIDTH-1:0] a, c;
  logic [B_WIDTH-1:0] b;
  logic first;

  localparam logic [COL-1:0] SLOT_MASK = COL'(SLOTS - 1);
  wire [ROW-1:0] row = step_q[STEP-1:STEP-ROW];
  wire [K-1:0] k = step_q[SLOT+:K];
  wire [COL-1:0] col = (COL'(step_q >> K) & ~SLOT_MASK) | (COL'(step_q) & SLOT_MASK);
  wire a_taken = a_valid_i && a_ready_o;
  wire b_taken = b_valid_i && b_ready_o;
  wire steps = !loading_q && !giving_q && !step_q[STEP];
  wire finished = last_q[FINISH-1];
  wire leaves = !y_valid_o || y_ready_i;
  wire loaded = loading_q && step_q[A_ADDRESS] && word_q[B_ADDRESS];
  wire computed = !loading_q && !giving_q && word_q[Y_ADDRESS];
  wire given = y_valid_o && y_last_o && y_ready_i;

  assign a_ready_o = loading_q && !step_q[A_ADDRESS];
  assign b_ready_o = loading_q && !word_q[B_ADDRESS];
  assign y_last_o = word_q[Y_ADDRESS];

  always_ff @(posedge clk_i)
    if (!rst_ni) begin
      loading_q <= 1'b1;
      giving_q <= 1'b0;
      y_valid_o <= 1'b0;
      last_q <= '0;
    end else begin
      loading_q <= (loading_q && !loaded) || given;
      giving_q <= (giving_q && !given) || computed;
      if (leaves) y_valid_o <= giving_q && !word_q[Y_ADDRESS];
      last_q <= {last_q[FINISH-2:0], steps && k == '1};
    end
  always_ff @(posedge clk_i)
    if (!rst_ni || loaded || given) step_q <= '0;
    else if (a_taken || steps) step_q <= step_q + 1'b1;
  always_ff @(posedge clk_i)
    if (!rst_ni || loaded || computed || given) word_q <= '0;
    else if (b_taken || finished || (giving_q && leaves && !word_q[Y_ADDRESS])) word_q <= word_q + 1'b1;

  TileMemory #(.WIDTH(A_WIDTH), .DEPTH(ROWS * DEPTH)) u_a (
    .clk_i, .write_i(a_taken), .waddr_i(step_q[A_ADDRESS-1:0]), .wdata_i(a_data_i), .read_i(1'b1), .raddr_i({row, k}), .rdata_o(a)
  );
  TileMemory #(.WIDTH(B_WIDTH), .DEPTH(DEPTH * COLS)) u_b (
    .clk_i, .write_i(b_taken), .waddr_i(word_q[B_ADDRESS-1:0]), .wdata_i(b_data_i), .read_i(1'b1), .raddr_i({k, col}), .rdata_o(b)
  );
  TileMemory #(.WIDTH(A_WIDTH), .DEPTH(ROWS * COLS)) u_c (
    .clk_i, .write_i(finished), .waddr_i(word_q[Y_ADDRESS-1:0]), .wdata_i(c), .read_i(leaves), .raddr_i(word_q[Y_ADDRESS-1:0]),
    .rdata_o(y_data_o)
  );
  Delay #(.WIDTH(1), .CYCLES(1 + PRODUCT)) u_first (.clk_i, .d_i(k == '0), .q_o(first));

  if (FLOATS == 0) begin : g_int
    logic signed [15:0] product, sum_q;
    Product u_product (.clk_i, .a_i(a), .b_i(b), .sum_o(product));
    always_ff @(posedge clk_i) sum_q <= (first ? '0 : sum_q) + product;
    if (CLAMP) begin : g_clamp
      SignRunSaturator #(.IN_WIDTH(16), .OUT_WIDTH(8)) u_clamp (.in_i(sum_q), .out_o(c));
    end else begin : g_low
      assign c = sum_q[7:0];
    end
  end else begin : g_float
    logic [31:0] a_float, b_float, product;
    if (FLOATS == 1) begin : g_convert
      Delay #(.WIDTH(32), .CYCLES(1)) u_a (.clk_i, .d_i(a), .q_o(a_float));
      IntToFloat #(.WIDTH(8)) u_b (.clk_i, .int_i(b), .float_o(b_float));
    end else begin : g_both
      assign a_float = a;
      assign b_float = b;
    end
    FloatMultiplier u_product (.clk_i, .a_i(a_float), .b_i(b_float), .product_o(product));
    FloatAdder u_sum (.clk_i, .a_i(first ? '0 : c), .b_i(product), .sum_o(c));
  end
endmodule
