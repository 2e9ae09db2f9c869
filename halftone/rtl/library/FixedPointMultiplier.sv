// y_o = floor(x_i * m0_i / 2^(WIDTH-1)) mod 2^WIDTH: a product of unsigned fixed-point numbers with one integer bit and WIDTH-1 bits of
// fraction each, of which one integer bit and the high WIDTH-1 bits of fraction are kept and the rest cut off. Combinational.
// Requantizer rounds where this cuts.
module FixedPointMultiplier #(
  parameter int WIDTH = 16
) (
  input logic [WIDTH-1:0] x_i,
  input logic [WIDTH-1:0] m0_i,
  output logic [WIDTH-1:0] y_o
);
  Require #(.HOLDS(WIDTH == 16 || WIDTH == 32), .MESSAGE("expected WIDTH of 16 or 32")) u_require ();

  /* verilator lint_off UNUSEDSIGNAL */  // the bits that are cut off
  wire [2*WIDTH-1:0] product = x_i * m0_i;
  /* verilator lint_on UNUSEDSIGNAL */

  assign y_o = product[2*WIDTH-2:WIDTH-1];
endmodule
