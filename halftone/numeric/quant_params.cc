#include "halftone/numeric/quant_params.h"

#include <fmt/format.h>

#include <algorithm>
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

AffineIndex::AffineIndex(const Shape& shape, const QuantParams& params) : count_(element_count(shape)) {
  if (params.granularity == Granularity::tensor) return;
  check_axis(shape, params.granularity, params.axis);
  const auto axis = static_cast<std::size_t>(params.axis);
  blocks_ = std::max<std::int64_t>(1, blocks_per_channel(shape, params.granularity, params.axis, params.group_size));
  inner_ = std::max<std::int64_t>(1, product(shape, axis + 1, shape.size()));
  channels_ = std::max<std::int64_t>(1, shape[axis]);
  group_size_ = params.granularity == Granularity::group ? params.group_size : std::max<std::int64_t>(1, count_);
  if (count_ > 0 && static_cast<std::int64_t>(params.affine.size()) != channels_ * blocks_)
    throw InputError("quantize", fmt::format("wrong number of scales, got {}, expected {}",
                                             params.affine.size(), channels_ * blocks_));
}

std::int64_t AffineIndex::run(std::int64_t place) const {
  if (blocks_ == 0) return count_ - place;
  const std::int64_t within = place / (inner_ * channels_) * inner_ + place % inner_;
  return std::min(inner_ - place % inner_, group_size_ - within % group_size_);
}

std::vector<std::int32_t> affine_index(const Shape& shape, const QuantParams& params) {
  const AffineIndex index_of(shape, params);
  std::vector<std::int32_t> index(static_cast<std::size_t>(element_count(shape)));
  for (std::int64_t place = 0; place < static_cast<std::int64_t>(index.size());) {
    const std::int64_t run = index_of.run(place);
    std::fill_n(index.begin() + place, run, index_of(place));
    place += run;
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

void widen(const Tensor& integers, std::int64_t first, std::span<std::int32_t> values) {
  if (is_float(integers.dtype()) || size_of(integers.dtype()) > 4 || integers.dtype() == DType::uint32)
    throw InputError("quantize", fmt::format("not an integer tensor of 32 bits or fewer, got {}",
                                             name_of(integers.dtype())));
  dispatch_dtype(integers.dtype(), [&]<typename T>(T) {
    if constexpr (std::is_integral_v<T>) {
      const auto from = integers.data<T>().subspan(static_cast<std::size_t>(first), values.size());
      std::ranges::transform(from, values.begin(), [](T v) { return static_cast<std::int32_t>(v); });
    }
  });
}

std::vector<std::int32_t> to_int32(const Tensor& integers) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(integers.size()));
  widen(integers, 0, values);
  return values;
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
