#include "halftone/ir/ops/slice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/ir/ops/strided.h"

namespace halftone::ir {
namespace {

// Negative places count from the end, then both are clamped: NumPy's rule, but that a start before the first
// element steps backwards from the first.
Run run_of(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t dim) {
  const auto place = [&](std::int64_t at, std::int64_t lo, std::int64_t hi) {
    return std::clamp(at < 0 ? std::max(at, -dim - 1) + dim : at, lo, hi);
  };
  if (step > 0) {
    const std::int64_t first = place(start, 0, dim);
    const std::int64_t last = place(end, 0, dim);
    return {first, last > first ? (last - first - 1) / step + 1 : 0, step};
  }
  const std::int64_t first = place(start, 0, dim - 1);
  const std::int64_t last = place(end, -1, dim - 1);
  if (dim == 0 || last >= first) return {0, 0, step};
  // -(step + 1) + 1 can't overflow where -step could.
  return {first, step < -dim ? 1 : (first - last - 1) / -step + 1, std::max(step, -dim)};
}

}  // namespace

std::vector<Run> runs_of(const Slice& op, const Shape& x) {
  if (op.ends.size() != op.starts.size() || (!op.axes.empty() && op.axes.size() != op.starts.size()) ||
      (!op.steps.empty() && op.steps.size() != op.starts.size()))
    throw InputError("Slice", fmt::format("{} starts, {} ends, {} axes, {} steps, expected as many of each",
                                          op.starts.size(), op.ends.size(), op.axes.size(), op.steps.size()));
  std::vector<Run> runs;
  for (std::int64_t dim : x) runs.push_back({0, dim, 1});
  std::vector<bool> seen(x.size(), false);
  for (std::size_t i = 0; i < op.starts.size(); ++i) {
    const std::int64_t axis = op.axes.empty() ? static_cast<std::int64_t>(i) : op.axes[i];
    const auto at = static_cast<std::size_t>(normalize_axis(axis, x.size(), "Slice"));
    const std::int64_t step = op.steps.empty() ? 1 : op.steps[i];
    if (step == 0) throw InputError("Slice", "a step of 0");
    if (seen[at]) throw InputError("Slice", fmt::format("axis {} stands twice", axis));
    seen[at] = true;
    if (x[at] == kDynamic) {
      if (op.starts[i] != 0 || op.ends[i] < INT32_MAX || step != 1)
        throw UnsupportedError("Slice", fmt::format("cuts dimension {}, which is not fixed", at));
      continue;
    }
    runs[at] = run_of(op.starts[i], op.ends[i], step, x[at]);
  }
  return runs;
}

namespace {

Shape sliced(const std::vector<Run>& runs) {
  Shape y;
  for (const Run& run : runs) y.push_back(run.count);
  return y;
}

Shape gathered(const Gather& op, const Shape& x, const Shape& indices) {
  const int axis = normalize_axis(op.axis, x.size(), "Gather");
  Shape y(x.begin(), x.begin() + axis);
  y.insert(y.end(), indices.begin(), indices.end());
  y.insert(y.end(), x.begin() + axis + 1, x.end());
  return y;
}

void check_split(const Split& op, const Shape& x) {
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, x.size(), "Split"));
  std::int64_t sum = 0;
  for (std::int64_t size : op.sizes) {
    if (size < 0 || size > kMaxElements)
      throw InputError("Split", fmt::format("a part of {} elements", size));
    sum += size;
  }
  if (x[axis] == kDynamic)
    throw UnsupportedError("Split", fmt::format("splits dimension {}, which is not fixed", axis));
  if (sum != x[axis] || op.sizes.empty())
    throw InputError("Split", fmt::format("parts add up to {}, expected {}", sum, x[axis]));
}

}  // namespace

std::vector<TensorType> infer(const Slice& op, InputTypes inputs) {
  return {{inputs[0]->dtype, sliced(runs_of(op, inputs[0]->shape))}};
}

std::vector<TensorType> infer(const Split& op, InputTypes inputs) {
  check_split(op, inputs[0]->shape);
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, inputs[0]->shape.size(), "Split"));
  std::vector<TensorType> types;
  for (std::int64_t size : op.sizes) {
    types.push_back({inputs[0]->dtype, inputs[0]->shape});
    types.back().shape[axis] = size;
  }
  return types;
}

std::vector<TensorType> infer(const Gather& op, InputTypes inputs) {
  if (inputs[1]->dtype != DType::int64 && inputs[1]->dtype != DType::int32)
    throw InputError("Gather",
                     fmt::format("indices are {}, expected int32 or int64", name_of(inputs[1]->dtype)));
  return {{inputs[0]->dtype, gathered(op, inputs[0]->shape, inputs[1]->shape)}};
}

std::vector<Tensor> evaluate(const Slice& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const std::vector<Run> runs = runs_of(op, x.shape());
  Strided from;
  for (std::size_t d = 0; d < runs.size(); ++d) {
    const std::int64_t stride = product(x.shape(), d + 1, x.rank());
    from.offset += runs[d].start * stride;
    from.strides.push_back(runs[d].step * stride);
  }
  return {copy_strided(x, sliced(runs), from)};
}

std::vector<Tensor> evaluate(const Split& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  check_split(op, x.shape());
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, x.rank(), "Split"));
  Strided from;
  for (std::size_t d = 0; d < x.rank(); ++d) from.strides.push_back(product(x.shape(), d + 1, x.rank()));
  std::vector<Tensor> parts;
  for (std::int64_t size : op.sizes) {
    Shape shape = x.shape();
    shape[axis] = size;
    parts.push_back(copy_strided(x, shape, from));
    from.offset += size * from.strides[axis];
  }
  return parts;
}

std::vector<Tensor> evaluate(const Gather& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const Tensor wide = inputs[1]->cast(DType::int64);
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, x.rank(), "Gather"));
  Tensor y(x.dtype(), gathered(op, x.shape(), inputs[1]->shape()));
  if (y.size() == 0) return {y};
  const std::size_t block =
      static_cast<std::size_t>(product(x.shape(), axis + 1, x.rank())) * size_of(x.dtype());
  const std::byte* in = x.bytes().data();
  std::byte* out = y.mutable_bytes().data();
  for (std::int64_t outer = 0; outer < product(x.shape(), 0, axis); ++outer)
    for (std::int64_t index : wide.data<std::int64_t>()) {
      if (index < -x.dim(axis) || index >= x.dim(axis))
        throw InputError("Gather", fmt::format("index {} outside dimension of {}", index, x.dim(axis)));
      const std::int64_t at = outer * x.dim(axis) + (index < 0 ? index + x.dim(axis) : index);
      std::memcpy(out, in + static_cast<std::size_t>(at) * block, block);
      out += block;
    }
  return {y};
}

}  // namespace halftone::ir
