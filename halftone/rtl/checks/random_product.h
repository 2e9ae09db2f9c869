// Products of random numbers, of extreme ones, and of numbers whose sums lie on ties.
#pragma once

#include <cstdint>

#include "halftone/rtl/product.h"

namespace halftone::rtl {

enum class Numbers {
  random,   // uniform
  extreme,  // the least and the largest alone
  ties,     // sums that lie between two integers of the output, half way
};

// Bias of a column: so that its sums' bound fits acc_width. Multipliers and shifts: so that results spread over the output's range, which is
// -128 to 127, 0 to 255 or a part of either.
Product random_product(const ArrayGeometry& geometry, const ProductShape& shape, Numbers numbers, std::uint64_t seed);

}  // namespace halftone::rtl
