// Copies of elements that lie at regular distances.
#pragma once

#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::ir {

// Element (i0, i1, …) of the result is element offset + Σ i_d·strides[d] of the source.
struct Strided {
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides;  // one for each dimension of the result
};

// Every element read must lie in the source; nothing is read for an empty shape.
Tensor copy_strided(const Tensor& from, Shape shape, const Strided& at);

}  // namespace halftone::ir
