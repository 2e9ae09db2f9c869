// sum_o = sum over i of a[i] * b[i], two cycles later, for the 8 / BITS signed integers of BITS bits that a byte holds, low bits first
// (as export --packed writes weights). Its multipliers are small enough to be made of LUTs.
module NarrowDot #(
  parameter int BITS = 4
) (
  input logic clk_i,
  input logic [7:0] a_i,
  input logic [7:0] b_i,
  output logic signed [2*BITS+$clog2(8/BITS)-1:0] sum_o
);
  Require #(.HOLDS(BITS == 2 || BITS == 4), .MESSAGE("expected BITS of 2 or 4")) u_require ();

  localparam int TERMS = 8 / BITS;
  localparam int WIDTH = 2 * BITS + $clog2(TERMS);

  logic [TERMS*2*BITS-1:0] products_q;
  logic signed [WIDTH-1:0] sum;

  for (genvar i = 0; i < TERMS; i++) begin : g_term
    wire signed [BITS-1:0] a = $signed(a_i[i*BITS+:BITS]);
    wire signed [BITS-1:0] b = $signed(b_i[i*BITS+:BITS]);
    wire signed [2*BITS-1:0] product = a * b;
    always_ff @(posedge clk_i) products_q[i*2*BITS+:2*BITS] <= product;
  end
  always_comb begin
    sum = '0;
    for (int i = 0; i < TERMS; i++) sum = sum + WIDTH'($signed(products_q[i*2*BITS+:2*BITS]));
  end
  always_ff @(posedge clk_i) sum_o <= sum;
endmodule
