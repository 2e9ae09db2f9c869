// y_o = the entry number x_i of a table of 2^IN_WIDTH entries, one cycle later (of enabled ones): any function of one variable of few
// bits, docs/arithmetic.md section 7. A signed x_i is the entry whose number has the same bits. Entries are written one a cycle, value_i
// to number entry_i.
module LookupTable #(
  parameter int IN_WIDTH = 8,
  parameter int OUT_WIDTH = 8
) (
  input logic clk_i,
  input logic write_i,
  input logic [IN_WIDTH-1:0] entry_i,
  input logic [OUT_WIDTH-1:0] value_i,
  input logic enable_i,
  input logic [IN_WIDTH-1:0] x_i,
  output logic [OUT_WIDTH-1:0] y_o
);
  TileMemory #(.WIDTH(OUT_WIDTH), .DEPTH(2 ** IN_WIDTH)) u_entries (
    .clk_i, .write_i, .waddr_i(entry_i), .wdata_i(value_i), .read_i(enable_i), .raddr_i(x_i), .rdata_o(y_o)
  );
endmodule
