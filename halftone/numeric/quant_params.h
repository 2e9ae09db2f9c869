// How a whole tensor is quantized: its format, and a scale and zero point per tensor, channel or group.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "halftone/base/tensor.h"
#include "halftone/numeric/affine.h"

namespace halftone::numeric {

enum class Granularity {
  tensor,   // one (s, z) for all ("layerwise")
  channel,  // one for each index of `axis`
  group,    // one for each block of `group_size` along the reduction of each channel; the last may be short
};

// Affine parameters of a tensor. A tensor with `axis` >= 0 has channels along it; each channel's other
// elements, in row-major order, form its row. At group granularity a row is cut into ⌈row/group_size⌉ blocks.
// `affine` is indexed [channel·blocks + block].
struct QuantParams {
  IntegerFormat format;
  Granularity granularity = Granularity::tensor;
  int axis = -1;
  std::int64_t group_size = 0;
  std::vector<Affine> affine{Affine{}};

  const Affine& tensor() const { return affine.front(); }
  Grid grid() const { return {format, tensor()}; }  // per tensor
  bool operator==(const QuantParams&) const = default;
};

inline QuantParams per_tensor(const Grid& grid) { return {.format = grid.format, .affine = {grid.affine}}; }

struct WeightSpec {
  IntegerFormat format{8, true, true};
  Scheme scheme = Scheme::symmetric;
  bool power_of_two = false;
  Granularity granularity = Granularity::channel;
  int axis = 0;
  std::int64_t group_size = 0;
};

// Parameters that cover every value of `weights` (float32). A channel or group whose α = max|w| is below
// 2^−20 of the tensor's takes the tensor's α: its range becomes [−α, α] ([0, α] when symmetric and unsigned).
// Throws InputError for NaN or infinity.
QuantParams params_from_weights(const Tensor& weights, const WeightSpec& spec);
// The same from ranges chosen for its entries.
QuantParams params_from_ranges(const Tensor& weights, const WeightSpec& spec, std::span<const Range> ranges);

// The range that each of params_from_weights' entries covers, after the rule above.
std::vector<Range> weight_ranges(const Tensor& weights, const WeightSpec& spec);

// Which of params.affine an element of a tensor of this shape has.
class AffineIndex {
 public:
  // Throws InputError where the params are not those of this shape.
  AffineIndex(const Shape& shape, const QuantParams& params);
  // The index for the element at this place in row-major order.
  std::int32_t operator()(std::int64_t place) const {
    if (blocks_ == 0) return 0;
    const std::int64_t channel = place / inner_ % channels_;
    const std::int64_t within = place / (inner_ * channels_) * inner_ + place % inner_;
    return static_cast<std::int32_t>(channel * blocks_ + within / group_size_);
  }
  // Elements from this place on that have the same one.
  std::int64_t run(std::int64_t place) const;

 private:
  std::int64_t count_;
  std::int64_t inner_ = 1;
  std::int64_t channels_ = 1;
  std::int64_t blocks_ = 0;  // of a channel; 0: one for the whole tensor
  std::int64_t group_size_ = 1;
};

// The index into params.affine of every element of a tensor of this shape, in row-major order.
std::vector<std::int32_t> affine_index(const Shape& shape, const QuantParams& params);

// Elementwise quantize and dequantize. Integers are stored in storage_dtype(params.format).
Tensor quantize(const Tensor& real, const QuantParams& params, Rounding rounding = Rounding::half_even);
Tensor dequantize(const Tensor& integers, const QuantParams& params);

// Any integer tensor of at most 32 bits, widened. Throws InputError for other element types.
std::vector<std::int32_t> to_int32(const Tensor& integers);
// As many of its elements as `values` holds, from place `first` on.
void widen(const Tensor& integers, std::int64_t first, std::span<std::int32_t> values);
// int32 values narrowed to `dtype` (they must fit: std::logic_error).
Tensor from_int32(const Shape& shape, std::span<const std::int32_t> values, DType dtype);

}  // namespace halftone::numeric
