#include "halftone/ir/ops/batch_normalization.h"

#include <fmt/format.h>

#include <cmath>

#include "halftone/base/error.h"

namespace halftone::ir {

std::vector<TensorType> infer(const BatchNormalization&, InputTypes inputs) {
  const Shape& x = inputs[0]->shape;
  if (x.size() < 2)
    throw InputError("BatchNormalization", fmt::format("input of shape {}, expected channels", to_string(x)));
  for (std::size_t i = 1; i < 5; ++i)
    if (inputs[i]->shape != Shape{x[1]})
      throw InputError("BatchNormalization", fmt::format("statistics of shape {} for {} channels",
                                                         to_string(inputs[i]->shape), x[1]));
  return {{DType::float32, x}};
}

std::vector<Tensor> evaluate(const BatchNormalization& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  Tensor y(DType::float32, x.shape());
  const std::int64_t inner = product(x.shape(), 2, x.rank());
  const float* in = x.data<float>().data();
  float* out = y.mutable_data<float>().data();
  for (std::int64_t n = 0; n < x.dim(0); ++n)
    for (std::size_t c = 0; c < static_cast<std::size_t>(x.dim(1)); ++c) {
      const double factor =
          inputs[1]->data<float>()[c] / std::sqrt(double{inputs[4]->data<float>()[c]} + op.epsilon);
      const double bias = inputs[2]->data<float>()[c];
      const double mean = inputs[3]->data<float>()[c];
      for (std::int64_t i = 0; i < inner; ++i) *out++ = static_cast<float>((*in++ - mean) * factor + bias);
    }
  return {y};
}

}  // namespace halftone::ir
