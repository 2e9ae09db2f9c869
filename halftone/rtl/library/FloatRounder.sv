// float_o = the float32 number (-1)^sign_i * 1.fraction_i * 2^(exponent_i - 127), rounded to the nearest, ties to even, one cycle later:
// the last stage of FloatMultiplier and FloatAdder. fraction_i: 23 bits, the first bit that is dropped, and whether any other is set.
// Results that rounding leaves below 2^-126 become 0 of the same sign, as they do in a processor that flushes subnormals to zero.
// nan_i comes before infinite_i, infinite_i before zero_i, and they before the number.
module FloatRounder (
  input logic clk_i,
  input logic sign_i,
  input logic signed [9:0] exponent_i,
  input logic [24:0] fraction_i,
  input logic zero_i,
  input logic infinite_i,
  input logic nan_i,
  output logic [31:0] float_o
);
  wire up = fraction_i[1] && (fraction_i[0] || fraction_i[2]);
  // A carry out of the fraction leaves 0 there and goes into the exponent, where it belongs.
  wire [32:0] rounded = {exponent_i, fraction_i[24:2]} + {32'b0, up};
  wire signed [9:0] exponent = rounded[32:23];

  always_ff @(posedge clk_i)
    if (nan_i) float_o <= 32'h7fc00000;
    else if (infinite_i || (!zero_i && exponent >= 10'sd255)) float_o <= {sign_i, 8'hff, 23'b0};
    else if (zero_i || exponent <= 10'sd0) float_o <= {sign_i, 31'b0};
    else float_o <= {sign_i, rounded[30:0]};
endmodule
