// product_o = a_i * b_i in float32, four cycles later: rounded to the nearest, ties to even. Subnormal numbers count as 0 of their sign, in
// a_i and b_i and as results. Infinities and NaN as in IEEE 754; every NaN that comes out is 32'h7fc00000.
// The product of two significands of 24 bits takes two multipliers of 25 by 18 bits.
module FloatMultiplier (
  input logic clk_i,
  input logic [31:0] a_i,
  input logic [31:0] b_i,
  output logic [31:0] product_o
);
  /* verilator lint_off UNUSEDSIGNAL */  // the sign: the product is from 2^46 to 2^48 - 1
  logic signed [48:0] product;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [8:0] exponents_q;
  logic signed [9:0] exponent_q, exponent_qq;
  logic [3:0] special_q, special_qq, special_qqq;  // {sign, zero, infinite, nan}
  logic [24:0] fraction_q;

  wire a_zero = a_i[30:23] == '0, b_zero = b_i[30:23] == '0;
  wire a_special = a_i[30:23] == '1, b_special = b_i[30:23] == '1;
  wire a_nan = a_special && a_i[22:0] != '0, b_nan = b_special && b_i[22:0] != '0;

  SplitProduct #(.A_WIDTH(25), .B_WIDTH(24)) u_product (
    .clk_i, .enable_i(1'b1), .a_i({2'b01, a_i[22:0]}), .b_i({1'b1, b_i[22:0]}), .product_o(product)
  );
  always_ff @(posedge clk_i) begin
    exponents_q <= {1'b0, a_i[30:23]} + {1'b0, b_i[30:23]};
    special_q <= {
      a_i[31] ^ b_i[31], a_zero || b_zero, a_special || b_special, a_nan || b_nan || (a_special && b_zero) || (a_zero && b_special)
    };
    exponent_q <= {1'b0, exponents_q} - 10'd127;
    special_qq <= special_q;
    // A product of 2 or more is halved.
    exponent_qq <= exponent_q + {9'b0, product[47]};
    fraction_q <= product[47] ? {product[46:23], product[22:0] != '0} : {product[45:22], product[21:0] != '0};
    special_qqq <= special_qq;
  end
  FloatRounder u_round (
    .clk_i, .sign_i(special_qqq[3]), .exponent_i(exponent_qq), .fraction_i(fraction_q), .zero_i(special_qqq[2]),
    .infinite_i(special_qqq[1]), .nan_i(special_qqq[0]), .float_o(product_o)
  );
endmodule
