// out_o = min(max(in_i, MIN), MAX) by two comparators and two multiplexers. Combinational.
// in_i: signed, IN_WIDTH bits. out_o: the low OUT_WIDTH bits, which hold every number from MIN to MAX.
module Saturator #(
  parameter int IN_WIDTH = 32,
  parameter int OUT_WIDTH = 8,
  parameter int MIN = 0,
  parameter int MAX = 255
) (
  input logic signed [IN_WIDTH-1:0] in_i,
  output logic [OUT_WIDTH-1:0] out_o
);
  Require #(.HOLDS(MIN <= MAX), .MESSAGE("expected MIN up to MAX")) u_require1 ();
  Require #(.HOLDS(OUT_WIDTH >= 1 && OUT_WIDTH <= IN_WIDTH), .MESSAGE("expected OUT_WIDTH from 1 to IN_WIDTH")) u_require2 ();
  Require #(.HOLDS(OUT_WIDTH > 30 || MAX - MIN < 2 ** OUT_WIDTH), .MESSAGE("expected OUT_WIDTH bits that hold MIN to MAX")) u_require3 ();
  Require #(.HOLDS(IN_WIDTH > 31 || (MIN >= -(2 ** (IN_WIDTH - 1)) && MAX < 2 ** (IN_WIDTH - 1))), .MESSAGE("expected bounds that in_i can reach")) u_require4 ();

  localparam logic signed [IN_WIDTH-1:0] LOW = IN_WIDTH'(MIN);
  localparam logic signed [IN_WIDTH-1:0] HIGH = IN_WIDTH'(MAX);

  assign out_o = in_i < LOW ? LOW[OUT_WIDTH-1:0] : in_i > HIGH ? HIGH[OUT_WIDTH-1:0] : in_i[OUT_WIDTH-1:0];
endmodule
