// The cost of an operation in silicon of 45 nm.
#pragma once

namespace halftone::numeric {

// pJ at 0.9 V: M. Horowitz, "Computing's Energy Problem (and what we can do about it)", ISSCC 2014, figure 1.1.9. His figures: integer
// addition of 8 and 32 bits 0.03 and 0.1, product of 8 by 8 and 32 by 32 bits 0.2 and 3.1. Between and beyond them the addition is linear in
// b, and the product in b_w·b_a, the number of its partial products' bits.
double addition_energy(int bits);
double multiplication_energy(int weight_bits, int input_bits);
inline constexpr double kFloat32Addition = 0.9;
inline constexpr double kFloat32Multiplication = 3.7;
// A bit read: from an SRAM of 8 kB (10 pJ for 64 bits), and from DRAM (640 pJ for 32 bits: 1.3 nJ for 64 in the same figure).
inline constexpr double kSramPerBit = 10.0 / 64.0;
inline constexpr double kDramPerBit = 640.0 / 32.0;

// µm², synthesized for TSMC 45 nm (the same talk): additions of 8, 16 and 32 bits take 36, 67 and 137, products of 8 by 8 and 32 by 32 bits 282
// and 3495; between them as above.
double addition_area(int bits);
double multiplication_area(int weight_bits, int input_bits);
inline constexpr double kFloat32AdditionArea = 4184.0;
inline constexpr double kFloat32MultiplicationArea = 7700.0;

}  // namespace halftone::numeric
