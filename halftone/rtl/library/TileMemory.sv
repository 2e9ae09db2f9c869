// DEPTH words of WIDTH bits with one write port and one read port. rdata_o = the word at raddr_i one cycle later, where read_i
// is set, and stays otherwise; a word that is written in the same cycle is not read yet. Block memory where the device has it.
module TileMemory #(
  parameter int WIDTH = 64,
  parameter int DEPTH = 512,
  localparam int ADDRESS = $clog2(DEPTH)
) (
  input logic clk_i,
  input logic write_i,
  input logic [ADDRESS-1:0] waddr_i,
  input logic [WIDTH-1:0] wdata_i,
  input logic read_i,
  input logic [ADDRESS-1:0] raddr_i,
  output logic [WIDTH-1:0] rdata_o
);
  Require #(.HOLDS(DEPTH >= 2), .MESSAGE("expected DEPTH of 2 or more")) u_require ();

  (* ram_style = "block" *) logic [WIDTH-1:0] words_q[DEPTH];

  always_ff @(posedge clk_i) begin
    if (write_i) words_q[waddr_i] <= wdata_i;
    if (read_i) rdata_o <= words_q[raddr_i];
  end
endmodule
