// q_o = d_i, CYCLES cycles later; 0: at once. Nothing resets it.
module Delay #(
  parameter int WIDTH = 8,
  parameter int CYCLES = 1
) (
  /* verilator lint_off UNUSEDSIGNAL */  // with CYCLES of 0
  input logic clk_i,
  /* verilator lint_on UNUSEDSIGNAL */
  input logic [WIDTH-1:0] d_i,
  output logic [WIDTH-1:0] q_o
);
  Require #(.HOLDS(CYCLES >= 0), .MESSAGE("expected CYCLES of 0 or more")) u_require ();

  if (CYCLES <= 0) begin : g_none
    assign q_o = d_i;
  end else if (CYCLES == 1) begin : g_one
    always_ff @(posedge clk_i) q_o <= d_i;
  end else begin : g_many
    logic [CYCLES*WIDTH-1:0] line_q;
    always_ff @(posedge clk_i) line_q <= {line_q[(CYCLES-1)*WIDTH-1:0], d_i};
    assign q_o = line_q[(CYCLES-1)*WIDTH+:WIDTH];
  end
endmodule
