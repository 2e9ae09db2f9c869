// A stream with ready and valid, passed on with every signal from a register: in_ready_o does not depend on out_ready_i of the same
// cycle. Two words deep; one word a cycle; latency 1.
module SkidBuffer #(
  parameter int WIDTH = 8
) (
  input logic clk_i,
  input logic rst_ni,
  input logic [WIDTH-1:0] in_data_i,
  input logic in_valid_i,
  output logic in_ready_o,
  output logic [WIDTH-1:0] out_data_o,
  output logic out_valid_o,
  input logic out_ready_i
);
  logic [WIDTH-1:0] spare_q;
  logic spare_valid_q;

  wire leaves = !out_valid_o || out_ready_i;

  assign in_ready_o = !spare_valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      out_valid_o <= 1'b0;
      spare_valid_q <= 1'b0;
    end else if (leaves) begin
      out_valid_o <= in_valid_i || spare_valid_q;
      spare_valid_q <= 1'b0;
    end else if (in_valid_i && in_ready_o) begin
      spare_valid_q <= 1'b1;
    end
    if (leaves) out_data_o <= spare_valid_q ? spare_q : in_data_i;
    if (in_ready_o) spare_q <= in_data_i;
  end
endmodule
