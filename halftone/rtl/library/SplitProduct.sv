// product_o = a_i * b_i, exact, two cycles later (of enabled ones): a_i is cut into parts of A_PART bits and b_i into parts of B_PART
// bits, a multiplier takes each pair of parts, and a second stage adds. A multiplier is A_PART+1 by B_PART+1 bits, signed:
// DSP48E1 takes A_PART 24 and B_PART 17, an 18 by 18 block 17 and 17, a 16 by 16 block 15 and 15.
// a_i: signed; b_i: unsigned.
module SplitProduct #(
  parameter int A_WIDTH = 24,
  parameter int B_WIDTH = 15,
  parameter int A_PART = 24,
  parameter int B_PART = 17
) (
  input logic clk_i,
  input logic enable_i,
  input logic signed [A_WIDTH-1:0] a_i,
  input logic [B_WIDTH-1:0] b_i,
  output logic signed [A_WIDTH+B_WIDTH-1:0] product_o
);
  Require #(.HOLDS(A_PART >= 1 && B_PART >= 1), .MESSAGE("expected parts of one bit or more")) u_require ();

  // The last part of a_i keeps its sign, and may be one bit wider.
  localparam int A_PARTS = A_WIDTH <= A_PART + 1 ? 1 : (A_WIDTH - 1 + A_PART - 1) / A_PART;
  localparam int B_PARTS = (B_WIDTH + B_PART - 1) / B_PART;
  localparam int PARTS = A_PARTS * B_PARTS;
  localparam int WIDTH = A_WIDTH + B_WIDTH;

  logic [PARTS*WIDTH-1:0] partial_q;
  logic signed [WIDTH-1:0] sum;

  /* verilator lint_off UNUSEDSIGNAL */  // of a product's two highest bits one is enough
  for (genvar i = 0; i < A_PARTS; i++) begin : g_a
    for (genvar j = 0; j < B_PARTS; j++) begin : g_b
      localparam int B_HIGH = (j + 1) * B_PART < B_WIDTH ? (j + 1) * B_PART : B_WIDTH;
      wire signed [B_HIGH-j*B_PART:0] b = $signed({1'b0, b_i[B_HIGH-1:j*B_PART]});
      if (i == A_PARTS - 1) begin : g_signed
        wire signed [A_WIDTH-1-i*A_PART:0] a = $signed(a_i[A_WIDTH-1:i*A_PART]);
        wire signed [A_WIDTH+B_HIGH-(i*A_PART+j*B_PART):0] part = a * b;
        always_ff @(posedge clk_i) if (enable_i) partial_q[(i*B_PARTS+j)*WIDTH+:WIDTH] <= WIDTH'(part) <<< (i * A_PART + j * B_PART);
      end else begin : g_unsigned
        wire signed [A_PART:0] a = $signed({1'b0, a_i[i*A_PART+:A_PART]});
        wire signed [A_PART+B_HIGH-j*B_PART+1:0] part = a * b;
        always_ff @(posedge clk_i) if (enable_i) partial_q[(i*B_PARTS+j)*WIDTH+:WIDTH] <= WIDTH'(part) <<< (i * A_PART + j * B_PART);
      end
    end
  end
  /* verilator lint_on UNUSEDSIGNAL */
  always_comb begin
    sum = '0;
    for (int p = 0; p < PARTS; p++) sum = sum + $signed(partial_q[p*WIDTH+:WIDTH]);
  end
  always_ff @(posedge clk_i) if (enable_i) product_o <= sum;
endmodule
