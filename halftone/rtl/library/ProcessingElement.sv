// One place of an output-stationary array: each cycle it multiplies a byte of a row by a byte of a column, adds the product to its sum,
// and hands both on, a to the next column and b to the next row. BITS: 8 one product a byte, 4 two, 2 four, 1 eight (BinaryDot). PAIR: two
// rows share the multiplier, a_i is PackPair's, and there are two sums.
// control_i is {valid, first, last} of the product that a_i and b_i of LATENCY cycles before make: first begins a new sum, last sends the
// finished one to drain_o, a register of its own, so that the next sum goes on meanwhile. shift_i moves drained sums one column on.
// LATENCY is Product's and BinaryDot's 1, PairProduct's and NarrowDot's 2.
module ProcessingElement #(
  parameter int BITS = 8,
  parameter bit PAIR = 1'b0,
  parameter int ACC_WIDTH = 24,
  localparam int OPERAND = PAIR ? 25 : 8,
  localparam int SUMS = PAIR ? 2 : 1
) (
  input logic clk_i,
  input logic [2:0] control_i,
  input logic [OPERAND-1:0] a_i,
  input logic [7:0] b_i,
  input logic shift_i,
  input logic [SUMS*ACC_WIDTH-1:0] drain_i,
  output logic [2:0] control_o,
  output logic [OPERAND-1:0] a_o,
  output logic [7:0] b_o,
  output logic [SUMS*ACC_WIDTH-1:0] drain_o
);
  Require #(.HOLDS(BITS == 8 || BITS == 4 || BITS == 2 || BITS == 1), .MESSAGE("expected BITS of 8, 4, 2 or 1")) u_require1 ();
  Require #(.HOLDS(!PAIR || BITS == 8), .MESSAGE("expected BITS of 8 with PAIR")) u_require2 ();

  logic [SUMS*ACC_WIDTH-1:0] terms, sums_q;
  logic finished_q;

  wire valid = control_o[2], first = control_o[1], last = control_o[0];

  if (PAIR) begin : g_pair
    logic signed [15:0] sum0, sum1;
    PairProduct u_product (.clk_i, .packed_i(a_o), .b_i(b_o), .sum0_o(sum0), .sum1_o(sum1));
    assign terms = {ACC_WIDTH'(sum1), ACC_WIDTH'(sum0)};
  end else if (BITS == 8) begin : g_one
    logic signed [15:0] sum;
    Product u_product (.clk_i, .a_i(a_o), .b_i(b_o), .sum_o(sum));
    assign terms = ACC_WIDTH'(sum);
  end else if (BITS > 1) begin : g_narrow
    logic signed [2*BITS+$clog2(8/BITS)-1:0] sum;
    NarrowDot #(.BITS(BITS)) u_product (.clk_i, .a_i(a_o), .b_i(b_o), .sum_o(sum));
    assign terms = ACC_WIDTH'(sum);
  end else begin : g_binary
    logic [3:0] sum;
    BinaryDot u_product (.clk_i, .a_i(a_o), .b_i(b_o), .sum_o(sum));
    assign terms = ACC_WIDTH'(sum);
  end

  always_ff @(posedge clk_i) begin
    a_o <= a_i;
    b_o <= b_i;
    control_o <= control_i;
    finished_q <= valid && last;
    if (finished_q) drain_o <= sums_q;
    else if (shift_i) drain_o <= drain_i;
  end
  for (genvar s = 0; s < SUMS; s++) begin : g_sum
    always_ff @(posedge clk_i)
      if (valid) sums_q[s*ACC_WIDTH+:ACC_WIDTH] <= (first ? '0 : sums_q[s*ACC_WIDTH+:ACC_WIDTH]) + terms[s*ACC_WIDTH+:ACC_WIDTH];
  end
endmodule
