#include "halftone/ir/ops/quant.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"

namespace halftone::ir {

std::vector<TensorType> infer(const Quant&, InputTypes inputs) {
  for (const TensorType* input : inputs)
    if (input->dtype != DType::float32)
      throw InputError("Quant", fmt::format("an input is {}, expected float32", name_of(input->dtype)));
  for (std::size_t i : {1, 2})
    if (broadcast_shape(inputs[i]->shape, inputs[0]->shape) != inputs[0]->shape)
      throw InputError("Quant", fmt::format("scale or zero point of shape {} for {}",
                                            to_string(inputs[i]->shape), to_string(inputs[0]->shape)));
  return {{DType::float32, inputs[0]->shape}};
}

QuantRange quant_range(const Quant& op, const Tensor& bits) {
  if (bits.size() != 1) throw UnsupportedError("Quant", "several bit widths, expected one");
  const float wanted = bits.data<float>()[0];
  if (!(wanted >= 1.0F && wanted <= 32.0F) || wanted != std::floor(wanted))
    throw InputError("Quant", fmt::format("{} bits, expected 1 to 32", wanted));
  const int n = static_cast<int>(wanted);
  if (!op.is_signed) return {n, 0.0, std::ldexp(1.0, n) - (op.narrow ? 2.0 : 1.0)};
  return {n, -std::ldexp(1.0, n - 1) + (op.narrow ? 1.0 : 0.0), std::ldexp(1.0, n - 1) - 1.0};
}

std::vector<Tensor> evaluate(const Quant& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const QuantRange range = quant_range(op, *inputs[3]);
  const auto index_s = broadcast_index(inputs[1]->shape(), x.shape());
  const auto index_z = broadcast_index(inputs[2]->shape(), x.shape());
  Tensor y(DType::float32, x.shape());
  auto out = y.mutable_data<float>();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float s = inputs[1]->data<float>()[static_cast<std::size_t>(index_s[i])];
    const float z = inputs[2]->data<float>()[static_cast<std::size_t>(index_z[i])];
    if (!std::isnormal(s) || s < 0.0F)
      throw InputError("Quant", fmt::format("scale {}, expected a number > 0", s));
    const double steps = numeric::round_real(double{x.data<float>()[i] / s} + z, op.rounding);
    out[i] = s * static_cast<float>(std::clamp(steps, range.qmin, range.qmax) - z);
  }
  return {y};
}

}  // namespace halftone::ir
