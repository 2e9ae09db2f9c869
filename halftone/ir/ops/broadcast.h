// NumPy broadcasting. Source: ONNX, docs/Broadcasting.md.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/base/shape.h"

namespace halftone::ir {

// The common shape of two operands: dimensions aligned at the end, 1 stretching. Throws InputError.
Shape broadcast_shape(const Shape& a, const Shape& b);
// For every element of `to`, in row-major order, the index of the element of `from` it reads.
std::vector<std::int64_t> broadcast_index(const Shape& from, const Shape& to);

}  // namespace halftone::ir
