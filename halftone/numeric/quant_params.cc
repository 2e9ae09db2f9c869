#include "halftone/numeric/quant_params.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "halftone/base/error.h"

namespace halftone::numeric {
namespace {

std::int64_t blocks_per_channel(const Shape& shape, Granularity granularity, int axis,
                                std::int64_t group_size) {
  if (granularity != Granularity::group) return 1;
  if (group_size < 1)
    throw UsageError("group", fmt::format("group size out of range, got {}, expected 1 or more", group_size));
  const std::int64_t channels = std::max<std::int64_t>(1, shape[static_cast<std::size_t>(axis)]);
  const std::int64_t row = element_count(shape) / channels;
  return (row + group_size - 1) / group_size;
}

void check_axis(const Shape& shape, Granularity granularity, int axis) {
  if (granularity == Granularity::tensor) return;
  if (axis < 0 || axis >= static_cast<int>(shape.size()))
    throw InputError("quantize", fmt::format("channel axis {} outside shape {}", axis, to_string(shape)));
}

// Parameters of the right kind and number, not yet filled in.
QuantParams layout_of(const Tensor& weights, const WeightSpec& spec) {
  check_axis(weights.shape(), spec.granularity, spec.axis);
  const bool whole = spec.granularity == Granularity::tensor;
  const std::int64_t channels = whole ? 1 : weights.shape()[static_cast<std::size_t>(spec.axis)];
  const std::int64_t blocks =
      whole ? 1 : blocks_per_channel(weights.shape(), spec.granularity, spec.axis, spec.group_size);
  return {.format = spec.format,
          .granularity = spec.granularity,
          .axis = whole ? -1 : spec.axis,
          .group_size = spec.granularity == Granularity::group ? spec.group_size : 0,
          .affine = std::vector<Affine>(static_cast<std::size_t>(channels * blocks))};
}

}  // namespace

std::vector<std::int32_t> affine_index(const Shape& shape, const QuantParams& params) {
  const std::int64_t count = element_count(shape);
  std::vector<std::int32_t> index(static_cast<std::size_t>(count), 0);
  if (params.granularity == Granularity::tensor) return index;
  check_axis(shape, params.granularity, params.axis);
  const auto axis = static_cast<std::size_t>(params.axis);
  const std::int64_t blocks = blocks_per_channel(shape, params.granularity, params.axis, params.group_size);
  const std::int64_t inner = product(shape, axis + 1, shape.size());
  const std::int64_t channels = shape[axis];
  if (static_cast<std::int64_t>(params.affine.size()) != channels * blocks)
    throw InputError("quantize", fmt::format("wrong number of scales, got {}, expected {}",
                                             params.affine.size(), channels * blocks));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t channel = i / inner % channels;
    const std::int64_t place = i / (inner * channels) * inner + i % inner;
    const std::int64_t block = params.granularity == Granularity::group ? place / params.group_size : 0;
    index[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(channel * blocks + block);
  }
  return index;
}

std::vector<Range> weight_ranges(const Tensor& weights, const WeightSpec& spec) {
  const QuantParams layout = layout_of(weights, spec);
  const std::vector<std::int32_t> index = affine_index(weights.shape(), layout);
  std::vector<Range> ranges(layout.affine.size());
  double alpha = 0.0;
  const auto values = weights.data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      throw InputError("quantize", fmt::format("weight {} is {}, expected a finite number", i, values[i]));
    Range& range = ranges[static_cast<std::size_t>(index[i])];
    range.lo = std::min<double>(range.lo, values[i]);
    range.hi = std::max<double>(range.hi, values[i]);
    alpha = std::max<double>(alpha, std::fabs(values[i]));
  }
  if (spec.granularity == Granularity::tensor) return ranges;
  const bool non_negative = spec.scheme == Scheme::symmetric && !spec.format.is_signed;
  for (Range& range : ranges)
    if (std::max(-range.lo, range.hi) < std::ldexp(alpha, -20)) range = {non_negative ? 0.0 : -alpha, alpha};
  return ranges;
}

QuantParams params_from_weights(const Tensor& weights, const WeightSpec& spec) {
  return params_from_ranges(weights, spec, weight_ranges(weights, spec));
}

QuantParams params_from_ranges(const Tensor& weights, const WeightSpec& spec, std::span<const Range> ranges) {
  QuantParams params = layout_of(weights, spec);
  for (std::size_t i = 0; i < ranges.size(); ++i)
    params.affine[i] = affine_from_range(ranges[i], spec.format, spec.scheme, spec.power_of_two);
  return params;
}

Tensor quantize(const Tensor& real, const QuantParams& params, Rounding rounding) {
  const std::vector<std::int32_t> index = affine_index(real.shape(), params);
  const auto in = real.data<float>();
  std::vector<std::int32_t> out(in.size());
  for (std::size_t i = 0; i < in.size(); ++i)
    out[i] = quantize(in[i], params.affine[static_cast<std::size_t>(index[i])], params.format, rounding);
  return from_int32(real.shape(), out, storage_dtype(params.format));
}

Tensor dequantize(const Tensor& integers, const QuantParams& params) {
  const std::vector<std::int32_t> index = affine_index(integers.shape(), params);
  const std::vector<std::int32_t> in = to_int32(integers);
  Tensor real(DType::float32, integers.shape());
  auto out = real.mutable_data<float>();
  for (std::size_t i = 0; i < in.size(); ++i)
    out[i] = dequantize(in[i], params.affine[static_cast<std::size_t>(index[i])]);
  return real;
}

std::vector<std::int32_t> to_int32(const Tensor& integers) {
  if (is_float(integers.dtype()) || size_of(integers.dtype()) > 4 || integers.dtype() == DType::uint32)
    throw InputError("quantize", fmt::format("not an integer tensor of 32 bits or fewer, got {}",
                                             name_of(integers.dtype())));
  const Tensor wide = integers.cast(DType::int32);
  const auto values = wide.data<std::int32_t>();
  return {values.begin(), values.end()};
}

Tensor from_int32(const Shape& shape, std::span<const std::int32_t> values, DType dtype) {
  Tensor result(dtype, shape);
  if (static_cast<std::int64_t>(values.size()) != result.size())
    throw std::logic_error("from_int32: sizes differ");
  dispatch_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    auto out = result.mutable_data<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      out[i] = static_cast<T>(values[i]);
      if (static_cast<std::int32_t>(out[i]) != values[i])
        throw std::logic_error("from_int32: value does not fit");
    }
  });
  return result;
}

}  // namespace halftone::numeric
