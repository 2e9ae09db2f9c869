// Elements of another type, when each of them stays the number it is.
#pragma once

#include <string_view>

#include "halftone/base/tensor.h"

namespace halftone {

// Among floating-point types values are rounded to the nearest, and finite ones stay finite; in every other case
// they stay equal. Throws InputError naming `where` and the first element that `dtype` cannot hold.
Tensor exact_cast(const Tensor& tensor, DType dtype, std::string_view where);

}  // namespace halftone
