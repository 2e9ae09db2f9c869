// Integers of 2 and 4 bits as files have them: packed, the first element in the lowest bits of a byte.
// Source: onnx.proto, TensorProto.raw_data.
#pragma once

#include "halftone/base/tensor.h"

namespace halftone::onnx_io {

// ⌈count·bits/8⌉.
std::int64_t packed_bytes(std::int64_t count, DType dtype);

// A tensor of 2 or 4 bits as bytes (uint8, one dimension); others as they are.
Tensor packed(const Tensor& tensor);

// The elements of `bytes` (uint8, packed_bytes of them) as a tensor of `dtype`, 2 or 4 bits.
Tensor unpack(const Tensor& bytes, DType dtype, const Shape& shape);

}  // namespace halftone::onnx_io
