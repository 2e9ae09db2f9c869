#include "halftone/ir/ops/softmax.h"

#include <algorithm>
#include <cmath>

namespace halftone::ir {

std::vector<TensorType> infer(const Softmax& op, InputTypes inputs) {
  normalize_axis(op.axis, inputs[0]->shape.size(), "Softmax");
  return {{DType::float32, inputs[0]->shape}};
}

std::vector<Tensor> evaluate(const Softmax& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, x.rank(), "Softmax"));
  const std::size_t end = op.to_end ? x.rank() : axis + 1;
  const std::int64_t outer = product(x.shape(), 0, axis);
  const std::int64_t count = product(x.shape(), axis, end);
  const std::int64_t inner = product(x.shape(), end, x.rank());
  Tensor y(DType::float32, x.shape());
  const float* in = x.data<float>().data();
  float* out = y.mutable_data<float>().data();
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < inner; ++i) {
      const std::int64_t start = o * count * inner + i;
      double largest = -INFINITY;
      for (std::int64_t j = 0; j < count; ++j) largest = std::max<double>(largest, in[start + j * inner]);
      double sum = 0.0;
      for (std::int64_t j = 0; j < count; ++j) sum += std::exp(in[start + j * inner] - largest);
      for (std::int64_t j = 0; j < count; ++j)
        out[start + j * inner] = static_cast<float>(std::exp(in[start + j * inner] - largest) / sum);
    }
  return {y};
}

}  // namespace halftone::ir
