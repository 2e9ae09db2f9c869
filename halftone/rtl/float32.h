// float32 as the modules compute it: nearest even, subnormals are 0 of their sign as operands and as results, one NaN.
#pragma once

#include <cstdint>

namespace halftone::rtl {

// Bits in, bits out. The product and the sum are rounded once, as IEEE 754 does, then brought to 0 below 2^-126.
std::uint32_t float_product(std::uint32_t a, std::uint32_t b);
std::uint32_t float_sum(std::uint32_t a, std::uint32_t b);
std::uint32_t float_of(std::int32_t x);

}  // namespace halftone::rtl
