// For yosys' techmap: every register becomes a wire, so that a pipeline is the function it computes once its inputs stay still.
// Registers with an enable are such registers behind a multiplexer, which is gone before where the enable is 1.
(* techmap_celltype = "$dff" *)
module Transparent #(
  parameter WIDTH = 1,
  parameter CLK_POLARITY = 1
) (
  input CLK,
  input [WIDTH-1:0] D,
  output [WIDTH-1:0] Q
);
  assign Q = D;
endmodule
