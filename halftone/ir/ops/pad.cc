#include "halftone/ir/ops/pad.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/ir/ops/strided.h"
#include "halftone/ir/ops/unary.h"

namespace halftone::ir {
namespace {

constexpr std::int64_t kFill = -1;  // in place of a source: the padding's value

Shape padded(const Pad& op, const Shape& x) {
  if (op.pads.size() != 2 * x.size())
    throw InputError("Pad", fmt::format("{} pads for {} dimensions", op.pads.size(), x.size()));
  Shape y = x;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const std::int64_t before = op.pads[d];
    const std::int64_t after = op.pads[x.size() + d];
    if (before == 0 && after == 0) continue;
    if (x[d] == kDynamic)
      throw UnsupportedError("Pad", fmt::format("pads dimension {}, which is not fixed", d));
    if (std::max(std::abs(before), std::abs(after)) > kMaxElements || x[d] + before + after < 0)
      throw InputError("Pad", fmt::format("pads {} and {} of a dimension of {}", before, after, x[d]));
    y[d] = x[d] + before + after;
    if (op.mode != PadMode::constant && x[d] == 0 && y[d] > 0)
      throw InputError("Pad", "repeats elements of an empty dimension");
    if (op.mode == PadMode::reflect && std::max(before, after) >= x[d])
      throw InputError("Pad", fmt::format("reflects {} elements of {}", std::max(before, after), x[d]));
  }
  return y;
}

// One element of `dtype` with the padding's value.
Tensor fill_of(double value, DType dtype) {
  Tensor fill(dtype, {});
  dispatch_dtype(dtype,
                 [&](auto tag) { fill.mutable_data<decltype(tag)>()[0] = rounded_to<decltype(tag)>(value); });
  return fill;
}

Shape expanded(const Expand& op, const Shape& x) {
  element_count(op.shape, "Expand");
  return broadcast_shape(x, op.shape);
}

}  // namespace

std::int64_t padding_source(std::int64_t i, std::int64_t dim, PadMode mode) {
  if (i >= 0 && i < dim) return i;
  switch (mode) {
    case PadMode::constant:
      return kFill;
    case PadMode::edge:
      return std::clamp<std::int64_t>(i, 0, dim - 1);
    case PadMode::wrap:
      return (i % dim + dim) % dim;
    case PadMode::reflect:
      break;
  }
  return i < 0 ? -i : 2 * (dim - 1) - i;
}

std::vector<TensorType> infer(const Pad& op, InputTypes inputs) {
  return {{inputs[0]->dtype, padded(op, inputs[0]->shape)}};
}

std::vector<TensorType> infer(const Expand& op, InputTypes inputs) {
  return {{inputs[0]->dtype, expanded(op, inputs[0]->shape)}};
}

std::vector<Tensor> evaluate(const Pad& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  Tensor y(x.dtype(), padded(op, x.shape()));
  const Tensor fill = fill_of(op.value, x.dtype());
  std::vector<std::vector<std::int64_t>> sources(x.rank());  // by dimension: offset in x, or kFill
  for (std::size_t d = 0; d < x.rank(); ++d)
    for (std::int64_t i = 0; i < y.dim(d); ++i) {
      const std::int64_t from = padding_source(i - op.pads[d], x.dim(d), op.mode);
      sources[d].push_back(from == kFill ? kFill : from * product(x.shape(), d + 1, x.rank()));
    }
  const std::size_t size = size_of(x.dtype());
  std::byte* out = y.mutable_bytes().data();
  std::vector<std::size_t> index(y.rank(), 0);
  for (std::int64_t i = 0; i < y.size(); ++i, out += size) {
    std::int64_t from = 0;
    for (std::size_t d = 0; d < y.rank() && from != kFill; ++d)
      from = sources[d][index[d]] == kFill ? kFill : from + sources[d][index[d]];
    std::memcpy(
        out, from == kFill ? fill.bytes().data() : x.bytes().data() + static_cast<std::size_t>(from) * size,
        size);
    for (std::size_t d = y.rank(); d-- > 0;) {
      if (++index[d] < sources[d].size()) break;
      index[d] = 0;
    }
  }
  return {y};
}

std::vector<Tensor> evaluate(const Expand& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const Shape shape = expanded(op, x.shape());
  Strided from{.strides = std::vector<std::int64_t>(shape.size(), 0)};
  for (std::size_t d = 0; d < x.rank(); ++d)
    if (x.dim(d) != 1) from.strides[shape.size() - x.rank() + d] = product(x.shape(), d + 1, x.rank());
  return {copy_strided(x, shape, from)};
}

}  // namespace halftone::ir
