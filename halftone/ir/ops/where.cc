#include <cstring>

#include "halftone/ir/ops/compare.h"

namespace halftone::ir {
namespace {

Shape where_shape(const Shape& condition, const Shape& a, const Shape& b) {
  return broadcast_shape(condition, broadcast_shape(a, b));
}

}  // namespace

std::vector<TensorType> infer(const Where&, InputTypes inputs) {
  if (inputs[0]->dtype != DType::boolean) throw InputError("Where", "the condition is not bool");
  if (inputs[1]->dtype != inputs[2]->dtype) throw InputError("Where", "operands of different types");
  return {{inputs[1]->dtype, where_shape(inputs[0]->shape, inputs[1]->shape, inputs[2]->shape)}};
}

std::vector<Tensor> evaluate(const Where&, InputTensors inputs) {
  const Tensor& a = *inputs[1];
  const Tensor& b = *inputs[2];
  Tensor y(a.dtype(), where_shape(inputs[0]->shape(), a.shape(), b.shape()));
  const auto index = broadcast_index(inputs[0]->shape(), y.shape());
  const auto index_a = broadcast_index(a.shape(), y.shape());
  const auto index_b = broadcast_index(b.shape(), y.shape());
  const auto condition = inputs[0]->data<bool>();
  const std::size_t size = size_of(y.dtype());
  std::byte* out = y.mutable_bytes().data();
  for (std::size_t i = 0; i < index.size(); ++i) {
    const bool first = condition[static_cast<std::size_t>(index[i])];
    const std::byte* from = first ? a.bytes().data() + static_cast<std::size_t>(index_a[i]) * size
                                  : b.bytes().data() + static_cast<std::size_t>(index_b[i]) * size;
    std::memcpy(out + i * size, from, size);
  }
  return {y};
}

}  // namespace halftone::ir
