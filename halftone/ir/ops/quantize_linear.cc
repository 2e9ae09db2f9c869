#include "halftone/ir/ops/quantize_linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

numeric::IntegerFormat format_of(DType dtype, std::string_view where) {
  switch (dtype) {
    case DType::int8:
      return {8, true, false};
    case DType::uint8:
      return {8, false, false};
    case DType::int16:
      return {16, true, false};
    case DType::uint16:
      return {16, false, false};
    default:
      throw UnsupportedError(
          where, fmt::format("integers of type {}, expected int8, uint8, int16 or uint16", name_of(dtype)));
  }
}

void check_scale_shape(const Shape& scale, const Shape& x, std::int64_t axis, std::string_view where) {
  if (scale.empty() || scale == Shape{1}) return;
  const int normal = normalize_axis(axis, x.size(), where);
  const std::int64_t channels = x[static_cast<std::size_t>(normal)];
  if (scale.size() != 1 || (channels != kDynamic && scale[0] != channels))
    throw InputError(
        where, fmt::format("scale of shape {} along axis {} of {}", to_string(scale), axis, to_string(x)));
}

}  // namespace

numeric::QuantParams linear_params(const Tensor& scale, const Tensor* zero_point, std::int64_t axis,
                                   DType dtype, const Shape& x, std::string_view where) {
  check_scale_shape(scale.shape(), x, axis, where);
  numeric::QuantParams params;
  // int32 holds biases: z = 0, any value; they are dequantized only, so no format bounds them.
  params.format = dtype == DType::int32 ? numeric::IntegerFormat{16, true, false} : format_of(dtype, where);
  const bool per_axis = scale.rank() == 1 && scale.size() != 1;
  params.granularity = per_axis ? numeric::Granularity::channel : numeric::Granularity::tensor;
  params.axis = per_axis ? normalize_axis(axis, x.size(), where) : -1;
  std::vector<std::int32_t> zeros(static_cast<std::size_t>(scale.size()), 0);
  if (zero_point != nullptr) zeros = numeric::to_int32(*zero_point);
  if (static_cast<std::int64_t>(zeros.size()) != scale.size())
    throw InputError(where, fmt::format("{} zero points for {} scales", zeros.size(), scale.size()));
  if (dtype == DType::int32 && std::any_of(zeros.begin(), zeros.end(), [](std::int32_t z) { return z != 0; }))
    throw InputError(where, "zero point of int32 values, expected 0");
  params.affine.clear();
  for (std::size_t i = 0; i < zeros.size(); ++i) {
    const float s = scale.data<float>()[i];
    if (!std::isnormal(s) || s < 0.0F)
      throw InputError(where, fmt::format("scale {}, expected a normal number > 0", s));
    params.affine.push_back({s, zeros[i]});
  }
  return params;
}

std::vector<TensorType> infer(const QuantizeLinear& op, InputTypes inputs) {
  check_scale_shape(inputs[1]->shape, inputs[0]->shape, op.axis, "QuantizeLinear");
  const DType dtype = has(inputs, 2) ? inputs[2]->dtype : DType::uint8;
  format_of(dtype, "QuantizeLinear");
  return {{dtype, inputs[0]->shape}};
}

std::vector<TensorType> infer(const DequantizeLinear& op, InputTypes inputs) {
  check_scale_shape(inputs[1]->shape, inputs[0]->shape, op.axis, "DequantizeLinear");
  if (inputs[0]->dtype != DType::int32) format_of(inputs[0]->dtype, "DequantizeLinear");
  if (has(inputs, 2) && inputs[2]->dtype != inputs[0]->dtype)
    throw InputError("DequantizeLinear", fmt::format("zero point is {} for {}", name_of(inputs[2]->dtype),
                                                     name_of(inputs[0]->dtype)));
  return {{DType::float32, inputs[0]->shape}};
}

std::vector<Tensor> evaluate(const QuantizeLinear& op, InputTensors inputs) {
  const Tensor* zero_point = has(inputs, 2) ? inputs[2] : nullptr;
  const DType dtype = zero_point != nullptr ? zero_point->dtype() : DType::uint8;
  return {numeric::quantize(*inputs[0], linear_params(*inputs[1], zero_point, op.axis, dtype,
                                                      inputs[0]->shape(), "QuantizeLinear"))};
}

std::vector<Tensor> evaluate(const DequantizeLinear& op, InputTensors inputs) {
  const Tensor* zero_point = has(inputs, 2) ? inputs[2] : nullptr;
  const DType dtype = inputs[0]->dtype();
  return {numeric::dequantize(*inputs[0], linear_params(*inputs[1], zero_point, op.axis, dtype,
                                                        inputs[0]->shape(), "DequantizeLinear"))};
}

}  // namespace halftone::ir
