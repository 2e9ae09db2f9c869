// RapidCheck's tensors: any element type, any small shape, any bytes.
#pragma once

#include <rapidcheck.h>

#include <algorithm>

#include "halftone/base/tensor.h"

namespace rc {

template <>
struct Arbitrary<halftone::Tensor> {
  static Gen<halftone::Tensor> arbitrary() {
    return gen::exec([] {
      using halftone::DType;
      const auto dtype = *gen::element(DType::float32, DType::float64, DType::int8, DType::uint8,
                                       DType::int16, DType::uint16, DType::int32, DType::int64);
      const auto rank = *gen::inRange(0, 5);
      const auto shape =
          *gen::container<halftone::Shape>(static_cast<std::size_t>(rank), gen::inRange<std::int64_t>(0, 5));
      halftone::Tensor tensor(dtype, shape);
      const auto bytes =
          *gen::container<std::vector<std::uint8_t>>(tensor.byte_size(), gen::arbitrary<std::uint8_t>());
      std::ranges::transform(bytes, tensor.mutable_bytes().begin(),
                             [](std::uint8_t b) { return std::byte{b}; });
      return tensor;
    });
  }
};

}  // namespace rc
