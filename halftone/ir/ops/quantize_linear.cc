#include "halftone/ir/ops/quantize_linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

numeric::IntegerFormat format_of(DType dtype, std::string_view where) {
  const DType memory = memory_dtype(dtype);
  const bool is_signed = memory == DType::int8 || memory == DType::int16;
  if (!is_signed && memory != DType::uint8 && memory != DType::uint16)
    throw UnsupportedError(where,
                           fmt::format("integers of type {}, expected 2, 4, 8 or 16 bits", name_of(dtype)));
  return {bits_of(dtype), is_signed, false};
}

// One scale for all, or for each index of the axis, or for each block along it.
void check_scale_shape(const Shape& scale, const Shape& x, std::int64_t axis, std::int64_t block,
                       std::string_view where) {
  if (block == 0 && (scale.empty() || scale == Shape{1})) return;
  const auto at = static_cast<std::size_t>(normalize_axis(axis, x.size(), where));
  bool fits =
      block == 0 ? scale.size() == 1 && (x[at] == kDynamic || scale[0] == x[at]) : scale.size() == x.size();
  if (block < 0 || (block > 0 && x[at] == kDynamic))
    throw InputError(where, fmt::format("blocks of {} along axis {} of {}", block, axis, to_string(x)));
  for (std::size_t d = 0; fits && block > 0 && d < x.size(); ++d)
    fits = scale[d] == (d == at ? (x[d] + block - 1) / block : x[d]);
  if (!fits)
    throw InputError(
        where, fmt::format("scale of shape {} along axis {} of {}", to_string(scale), axis, to_string(x)));
}

// For every element of x, the place of its scale.
std::vector<std::size_t> scale_index(const Shape& scale, const Shape& x, std::int64_t axis,
                                     std::int64_t block, std::string_view where) {
  check_scale_shape(scale, x, axis, block, where);
  std::vector<std::size_t> index(static_cast<std::size_t>(element_count(x)), 0);
  if (block == 0 && (scale.empty() || scale == Shape{1})) return index;
  const auto at = static_cast<std::size_t>(normalize_axis(axis, x.size(), where));
  const std::int64_t inner = product(x, at + 1, x.size());
  for (std::size_t i = 0; i < index.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i);
    const std::int64_t along = place / inner % x[at];
    const std::int64_t outer = place / inner / x[at];
    index[i] = static_cast<std::size_t>(
        block == 0 ? along : (outer * scale[at] + along / block) * inner + place % inner);
  }
  return index;
}

// Scale and zero point of every place.
std::vector<numeric::Affine> affines(const Tensor& scale, const Tensor* zero_point, DType dtype,
                                     std::string_view where) {
  const Tensor scales = scale.cast(DType::float32);
  std::vector<std::int32_t> zeros(static_cast<std::size_t>(scale.size()), 0);
  if (zero_point != nullptr) zeros = numeric::to_int32(*zero_point);
  if (static_cast<std::int64_t>(zeros.size()) != scale.size())
    throw InputError(where, fmt::format("{} zero points for {} scales", zeros.size(), scale.size()));
  if (dtype == DType::int32 && std::any_of(zeros.begin(), zeros.end(), [](std::int32_t z) { return z != 0; }))
    throw InputError(where, "zero point of int32 values, expected 0");
  std::vector<numeric::Affine> result;
  for (std::size_t i = 0; i < zeros.size(); ++i) {
    const float s = scales.data<float>()[i];
    if (!std::isnormal(s) || s < 0.0F)
      throw InputError(where, fmt::format("scale {}, expected a normal number > 0", s));
    result.push_back({s, zeros[i]});
  }
  return result;
}

void check_float(const TensorType& type, std::string_view what, std::string_view where) {
  if (!is_float(type.dtype))
    throw InputError(where, fmt::format("{} is {}, expected a float", what, name_of(type.dtype)));
}

numeric::IntegerFormat format_of(const QuantizeLinear& op, DType dtype) {
  numeric::IntegerFormat format = format_of(dtype, "QuantizeLinear");
  if (op.bits < 0 || op.bits > format.bits)
    throw InputError("QuantizeLinear", fmt::format("{} bits in {}", op.bits, name_of(dtype)));
  if (op.bits != 0) format.bits = op.bits;
  return format;
}

// One scale for all, or for each index of the axis.
numeric::QuantParams linear_params(const Tensor& scale, const Tensor* zero_point, std::int64_t axis,
                                   DType dtype, const Shape& x, std::string_view where) {
  check_scale_shape(scale.shape(), x, axis, 0, where);
  numeric::QuantParams params;
  // int32 holds biases: z = 0, any value; they are dequantized only, so no format bounds them.
  params.format = dtype == DType::int32 ? numeric::IntegerFormat{16, true, false} : format_of(dtype, where);
  const bool per_axis = scale.rank() == 1 && scale.size() != 1;
  params.granularity = per_axis ? numeric::Granularity::channel : numeric::Granularity::tensor;
  params.axis = per_axis ? normalize_axis(axis, x.size(), where) : -1;
  params.affine = affines(scale, zero_point, dtype, where);
  return params;
}

}  // namespace

QuantizeLinear quantizer(const numeric::IntegerFormat& format, numeric::Rounding rounding) {
  const int stored = bits_of(numeric::storage_dtype(format));
  return {.bits = stored == format.bits ? 0 : format.bits, .rounding = rounding};
}

numeric::QuantParams linear_params(const QuantizeLinear& op, const Tensor& scale, const Tensor* zero_point,
                                   DType dtype, const Shape& x, std::string_view where) {
  numeric::QuantParams params = linear_params(scale, zero_point, op.axis, dtype, x, where);
  params.format = format_of(op, dtype);
  return params;
}

numeric::QuantParams linear_params(const DequantizeLinear& op, const Tensor& scale, const Tensor* zero_point,
                                   DType dtype, const Shape& x, std::string_view where) {
  if (op.block_size == 0) return linear_params(scale, zero_point, op.axis, dtype, x, where);
  check_scale_shape(scale.shape(), x, op.axis, op.block_size, where);
  const std::int64_t axis = normalize_axis(op.axis, x.size(), where);
  if (x.size() < 2 || (axis != 1 && (axis != 0 || x.size() != 2)))
    throw UnsupportedError(where, fmt::format("scales by block along axis {} of {}, expected along the inputs of weights",
                                              axis, to_string(x)));
  const std::vector<numeric::Affine> places = affines(scale, zero_point, dtype, where);
  const std::int64_t channels = scale.dim(axis == 1 ? 0 : 1);
  const std::int64_t blocks = scale.dim(static_cast<std::size_t>(axis));
  const std::int64_t taps = product(x, 2, x.size());
  numeric::QuantParams params{.format = format_of(dtype, where),
                              .granularity = numeric::Granularity::group,
                              .axis = axis == 1 ? 0 : 1,
                              .group_size = op.block_size * taps,
                              .affine = {}};
  for (std::int64_t m = 0; m < channels; ++m)
    for (std::int64_t b = 0; b < blocks; ++b) {
      const auto at = static_cast<std::size_t>(axis == 1 ? (m * blocks + b) * taps : b * channels + m);
      for (std::size_t t = 1; t < static_cast<std::size_t>(taps); ++t)
        if (places[at + t] != places[at])
          throw UnsupportedError(where, "scales by block that differ between the taps of a kernel");
      params.affine.push_back(places[at]);
    }
  return params;
}

std::vector<TensorType> infer(const QuantizeLinear& op, InputTypes inputs) {
  check_float(*inputs[0], "x", "QuantizeLinear");
  check_float(*inputs[1], "the scale", "QuantizeLinear");
  check_scale_shape(inputs[1]->shape, inputs[0]->shape, op.axis, op.block_size, "QuantizeLinear");
  const DType dtype = has(inputs, 2) ? inputs[2]->dtype : op.to;
  format_of(op, dtype);
  return {{dtype, inputs[0]->shape}};
}

std::vector<TensorType> infer(const DequantizeLinear& op, InputTypes inputs) {
  check_float(*inputs[1], "the scale", "DequantizeLinear");
  check_scale_shape(inputs[1]->shape, inputs[0]->shape, op.axis, op.block_size, "DequantizeLinear");
  if (inputs[0]->dtype != DType::int32) format_of(inputs[0]->dtype, "DequantizeLinear");
  if (has(inputs, 2) && inputs[2]->dtype != inputs[0]->dtype)
    throw InputError("DequantizeLinear", fmt::format("zero point is {} for {}", name_of(inputs[2]->dtype),
                                                     name_of(inputs[0]->dtype)));
  return {{inputs[1]->dtype, inputs[0]->shape}};
}

std::vector<Tensor> evaluate(const QuantizeLinear& op, InputTensors inputs) {
  const Tensor* zero_point = has(inputs, 2) ? inputs[2] : nullptr;
  const DType dtype = zero_point != nullptr ? zero_point->dtype() : op.to;
  const numeric::IntegerFormat format = format_of(op, dtype);
  const Tensor real = inputs[0]->cast(DType::float32);
  const auto places = scale_index(inputs[1]->shape(), real.shape(), op.axis, op.block_size, "QuantizeLinear");
  const auto affine = affines(*inputs[1], zero_point, dtype, "QuantizeLinear");
  const auto x = real.data<float>();
  std::vector<std::int32_t> q(x.size());
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = numeric::quantize(x[i], affine[places[i]], format, op.rounding);
  return {numeric::from_int32(real.shape(), q, dtype)};
}

std::vector<Tensor> evaluate(const DequantizeLinear& op, InputTensors inputs) {
  const Tensor* zero_point = has(inputs, 2) ? inputs[2] : nullptr;
  const std::vector<std::int32_t> q = numeric::to_int32(*inputs[0]);
  const auto places =
      scale_index(inputs[1]->shape(), inputs[0]->shape(), op.axis, op.block_size, "DequantizeLinear");
  const auto affine = affines(*inputs[1], zero_point, inputs[0]->dtype(), "DequantizeLinear");
  Tensor real(DType::float32, inputs[0]->shape());
  auto out = real.mutable_data<float>();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = numeric::dequantize(q[i], affine[places[i]]);
  return {real.cast(inputs[1]->dtype())};
}

}  // namespace halftone::ir
