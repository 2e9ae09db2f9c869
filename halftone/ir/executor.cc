#include "halftone/ir/executor.h"

#include <algorithm>

namespace halftone::ir {

std::optional<Tensor> tensor_of(const Watched& watched) {
  if (watched.channel_block == 0) return std::nullopt;
  const Shape shape(watched.shape.begin(), watched.shape.end());
  Tensor tensor(DType::float32, shape);
  const auto to = tensor.mutable_data<float>();
  if (watched.channel_block == 1 || watched.elements.empty()) {
    std::ranges::copy(watched.elements, to.begin());
    return tensor;
  }
  const std::int64_t inner = product(shape, 2, shape.size());
  const std::int64_t block = watched.channel_block;
  const float* from = watched.elements.data();
  for (std::int64_t outer = 0; outer < tensor.size() / (inner * block); ++outer)
    for (std::int64_t i = 0; i < inner; ++i)
      for (std::int64_t c = 0; c < block; ++c) to[static_cast<std::size_t>((outer * block + c) * inner + i)] = *from++;
  return tensor;
}

}  // namespace halftone::ir
