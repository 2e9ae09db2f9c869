// float_o = int_i in float32, exact, one cycle later. int_i: signed, WIDTH bits, of which float32 holds all up to 25.
module IntToFloat #(
  parameter int WIDTH = 8
) (
  input logic clk_i,
  input logic signed [WIDTH-1:0] int_i,
  output logic [31:0] float_o
);
  Require #(.HOLDS(WIDTH >= 2 && WIDTH <= 25), .MESSAGE("expected WIDTH from 2 to 25")) u_require ();

  localparam int TOP = $clog2(WIDTH);

  logic [TOP-1:0] top;  // number of the first set bit

  wire [WIDTH-1:0] magnitude = int_i[WIDTH-1] ? -int_i : int_i;

  always_comb begin
    top = '0;
    for (int i = 0; i < WIDTH; i++) if (magnitude[i]) top = TOP'(i);
  end
  /* verilator lint_off UNUSEDSIGNAL */  // the first set bit, which float32 does not store, and the last of 25
  wire [WIDTH-1:0] front = magnitude << (TOP'(WIDTH - 1) - top);
  wire [23:0] fraction = 24'(front[WIDTH-2:0]) << (25 - WIDTH);
  /* verilator lint_on UNUSEDSIGNAL */

  always_ff @(posedge clk_i)
    if (int_i == '0) float_o <= '0;
    else float_o <= {int_i[WIDTH-1], 8'd127 + 8'(top), fraction[23:1]};
endmodule
