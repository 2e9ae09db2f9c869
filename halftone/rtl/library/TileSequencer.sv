// Walks a product of matrices tile by tile, a step of the reduction a cycle: for each of row_tiles_i, for each of col_tiles_i, steps_i
// steps. Step k of row tile r and column tile c reads word r * steps + k of A, from a ring of A_DEPTH words that is freed row tile by row
// tile, and word c * steps + k of B, which stay. A step waits until the cycle after both words have been written; the last step of a tile waits until the
// cycle after the tile before has been drained.
// control_o is {valid, first, last} of the step whose addresses stand beside it. restart_i begins the next product, words of whose A may already be there.
// The three counts: 1 or more, still during a product; steps_i <= A_DEPTH, steps_i * col_tiles_i = b_words_i <= B_DEPTH.
module TileSequencer #(
  parameter int A_DEPTH = 256,
  parameter int B_DEPTH = 1024,
  localparam int A_ADDRESS = $clog2(A_DEPTH),
  localparam int B_ADDRESS = $clog2(B_DEPTH)
) (
  input logic clk_i,
  input logic rst_ni,
  input logic restart_i,
  input logic [A_ADDRESS:0] steps_i,
  input logic [B_ADDRESS:0] col_tiles_i,
  input logic [15:0] row_tiles_i,
  input logic [B_ADDRESS:0] b_words_i,
  input logic a_valid_i,
  output logic a_ready_o,
  output logic [A_ADDRESS-1:0] a_waddr_o,
  output logic [A_ADDRESS-1:0] a_raddr_o,
  input logic b_valid_i,
  output logic b_ready_o,
  output logic [B_ADDRESS-1:0] b_waddr_o,
  output logic [B_ADDRESS-1:0] b_raddr_o,
  input logic drained_i,
  output logic [2:0] control_o
);
  Require #(.HOLDS(A_DEPTH >= 2 && A_DEPTH == 2 ** A_ADDRESS), .MESSAGE("expected A_DEPTH of a power of two")) u_require1 ();
  Require #(.HOLDS(B_DEPTH >= 2), .MESSAGE("expected B_DEPTH of 2 or more")) u_require2 ();

  // One bit more than an address, so that a full ring differs from an empty one.
  logic [A_ADDRESS:0] a_written_q, a_base_q, a_read_q, step_q;
  logic [B_ADDRESS:0] b_written_q, b_read_q, col_tile_q;
  logic [15:0] row_tile_q;
  logic [A_ADDRESS:0] last_step_q;  // what the counters end with: of numbers that are still
  logic [B_ADDRESS:0] last_col_tile_q;
  logic [15:0] last_row_tile_q;
  logic [A_ADDRESS:0] a_ahead_q;  // a_read_q + 1
  logic [B_ADDRESS:0] b_ahead_q;
  logic [A_ADDRESS:0] step_ahead_q;
  logic [B_ADDRESS:0] col_tile_ahead_q;
  logic last_q, last_col_q;  // the step is its tile's last, the tile its row tile's last: from registers, as much hangs on them
  logic running_q, pending_q;
  logic a_there_q, b_there_q;  // the words at the read addresses had been written a cycle ago

  wire first = step_q == '0;
  wire go = running_q && a_there_q && b_there_q && !(last_q && pending_q);
  wire again = last_q && !last_col_q;   // the next step reads A's row tile from its start
  wire rewind = last_q && last_col_q;   // the next step reads B from its start
  wire [A_ADDRESS:0] a_held = a_written_q - a_base_q;

  assign a_ready_o = a_held != (A_ADDRESS + 1)'(A_DEPTH);
  assign b_ready_o = b_written_q != b_words_i;
  assign a_waddr_o = a_written_q[A_ADDRESS-1:0];
  assign b_waddr_o = b_written_q[B_ADDRESS-1:0];
  assign a_raddr_o = a_read_q[A_ADDRESS-1:0];
  assign b_raddr_o = b_read_q[B_ADDRESS-1:0];
  assign control_o = {go, first, last_q};

  always_ff @(posedge clk_i) begin
    last_step_q <= steps_i - 1'b1;
    last_col_tile_q <= col_tiles_i - 1'b1;
    last_row_tile_q <= row_tiles_i - 1'b1;
    last_q <= go ? (last_q ? '0 : step_ahead_q) == last_step_q : step_q == last_step_q;
    last_col_q <= go && last_q ? (last_col_q ? '0 : col_tile_ahead_q) == last_col_tile_q : col_tile_q == last_col_tile_q;
  end

  always_ff @(posedge clk_i)
    if (!rst_ni) begin
      a_written_q <= '0;
      a_base_q <= '0;
      a_read_q <= '0;
      a_ahead_q <= (A_ADDRESS + 1)'(1);
      a_there_q <= 1'b0;
    end else begin
      a_there_q <= go ? again || a_ahead_q != a_written_q : a_read_q != a_written_q;
      if (a_valid_i && a_ready_o) a_written_q <= a_written_q + 1'b1;
      if (go) begin
        a_read_q <= again ? a_base_q : a_ahead_q;
        a_ahead_q <= (again ? a_base_q : a_ahead_q) + 1'b1;
        if (rewind) a_base_q <= a_ahead_q;
      end
    end

  always_ff @(posedge clk_i)
    if (!rst_ni || restart_i) begin
      step_q <= '0;
      step_ahead_q <= (A_ADDRESS + 1)'(1);
      b_written_q <= '0;
      b_read_q <= '0;
      b_ahead_q <= (B_ADDRESS + 1)'(1);
      b_there_q <= 1'b0;
      col_tile_q <= '0;
      col_tile_ahead_q <= (B_ADDRESS + 1)'(1);
      row_tile_q <= '0;
      running_q <= 1'b1;
      pending_q <= 1'b0;
    end else begin
      if (b_valid_i && b_ready_o) b_written_q <= b_written_q + 1'b1;
      b_there_q <= go ? rewind || b_ahead_q != b_written_q : b_read_q != b_written_q;
      if (drained_i) pending_q <= 1'b0;
      if (go) begin
        step_q <= last_q ? '0 : step_ahead_q;
        step_ahead_q <= (last_q ? '0 : step_ahead_q) + 1'b1;
        b_read_q <= rewind ? '0 : b_ahead_q;
        b_ahead_q <= (rewind ? '0 : b_ahead_q) + 1'b1;
        if (last_q) begin
          pending_q <= 1'b1;
          col_tile_q <= last_col_q ? '0 : col_tile_ahead_q;
          col_tile_ahead_q <= (last_col_q ? '0 : col_tile_ahead_q) + 1'b1;
          if (last_col_q) begin
            row_tile_q <= row_tile_q + 1'b1;
            if (row_tile_q == last_row_tile_q) running_q <= 1'b0;
          end
        end
      end
    end
endmodule
