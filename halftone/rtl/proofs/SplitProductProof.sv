// ok_o: SplitProduct gives the product, however it cuts the operands.
module SplitProductProof #(
  parameter int A_WIDTH = 12,
  parameter int B_WIDTH = 9,
  parameter int A_PART = 5,
  parameter int B_PART = 4,
  localparam int WIDTH = A_WIDTH + B_WIDTH
) (
  input logic clk_i,
  input logic signed [A_WIDTH-1:0] a_i,
  input logic [B_WIDTH-1:0] b_i,
  output logic ok_o
);
  logic signed [WIDTH-1:0] product;

  SplitProduct #(.A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .A_PART(A_PART), .B_PART(B_PART)) u_product (
    .clk_i, .enable_i(1'b1), .a_i, .b_i, .product_o(product)
  );
  assign ok_o = product == WIDTH'(a_i) * $signed(WIDTH'(b_i));
endmodule
