// Stops elaboration with MESSAGE unless HOLDS: how a module refuses parameters that it cannot have. Nothing is left of it in hardware.
module Require #(
  parameter bit HOLDS = 1'b1,
  parameter MESSAGE = "parameters do not fit"
) ();
`ifdef __ICARUS__
  if (!HOLDS) parameters_do_not_fit u_stop ();  // Icarus Verilog 11 has no $error outside procedures
`else
  if (!HOLDS) $error("%s", MESSAGE);
`endif
endmodule
