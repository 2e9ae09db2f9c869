// packed_o = a1_i * 2^16 + a0_i in 25 bits, as PairProduct takes it. Signed integers of 8 bits, -128 included. Combinational.
module PackPair (
  input logic signed [7:0] a0_i,
  input logic signed [7:0] a1_i,
  output logic signed [24:0] packed_o
);
  // A negative a0 borrows one from a1: a1 - 1 has 9 bits.
  assign packed_o = {9'(a1_i) - {8'b0, a0_i[7]}, {8{a0_i[7]}}, a0_i};
endmodule
