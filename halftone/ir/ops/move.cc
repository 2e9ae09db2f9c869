#include "halftone/ir/ops/move.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "halftone/base/error.h"
#include "halftone/ir/ops/strided.h"

namespace halftone::ir {
namespace {

std::vector<std::size_t> permutation_of(const Transpose& op, std::size_t rank) {
  std::vector<std::size_t> permutation(rank);
  if (op.permutation.empty()) {
    std::iota(permutation.rbegin(), permutation.rend(), std::size_t{0});
    return permutation;
  }
  if (op.permutation.size() != rank)
    throw InputError("Transpose",
                     fmt::format("permutation of {} dimensions, expected {}", op.permutation.size(), rank));
  std::vector<bool> seen(rank, false);
  for (std::size_t d = 0; d < rank; ++d) {
    permutation[d] = static_cast<std::size_t>(normalize_axis(op.permutation[d], rank, "Transpose"));
    if (seen[permutation[d]])
      throw InputError("Transpose", fmt::format("dimension {} stands twice", permutation[d]));
    seen[permutation[d]] = true;
  }
  return permutation;
}

Shape transposed(const Transpose& op, const Shape& x) {
  Shape y;
  for (std::size_t d : permutation_of(op, x.size())) y.push_back(x[d]);
  return y;
}

// Which of the `rank` dimensions the axes name.
std::vector<bool> marked(const std::vector<std::int64_t>& axes, std::size_t rank, std::string_view where) {
  std::vector<bool> mark(rank, false);
  for (std::int64_t axis : axes) {
    const auto at = static_cast<std::size_t>(normalize_axis(axis, rank, where));
    if (mark[at]) throw InputError(where, fmt::format("axis {} stands twice", axis));
    mark[at] = true;
  }
  return mark;
}

Shape squeezed(const Squeeze& op, const Shape& x) {
  const std::vector<bool> mark = marked(op.axes, x.size(), "Squeeze");
  Shape y;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool removed = op.axes.empty() ? x[d] == 1 : mark[d];
    if (removed && x[d] != 1)
      throw InputError("Squeeze", fmt::format("dimension {} of {} is not 1", d, to_string(x)));
    if (!removed) y.push_back(x[d]);
  }
  return y;
}

Shape unsqueezed(const Unsqueeze& op, const Shape& x) {
  const std::vector<bool> mark = marked(op.axes, x.size() + op.axes.size(), "Unsqueeze");
  Shape y;
  std::size_t next = 0;
  for (bool inserted : mark) y.push_back(inserted ? 1 : x[next++]);
  return y;
}

template <typename Shapes>
Shape joined(const Concat& op, const Shapes& shapes) {
  Shape y = shapes.front();
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, y.size(), "Concat"));
  for (std::size_t i = 1; i < shapes.size(); ++i) {
    const Shape& x = shapes[i];
    bool fits = x.size() == y.size();
    for (std::size_t d = 0; fits && d < y.size(); ++d) fits = d == axis || x[d] == y[d];
    if (!fits)
      throw InputError("Concat",
                       fmt::format("{} does not join {} along axis {}", to_string(x), to_string(y), axis));
    y[axis] = y[axis] == kDynamic || x[axis] == kDynamic ? kDynamic : y[axis] + x[axis];
  }
  return y;
}

}  // namespace

std::vector<TensorType> infer(const Transpose& op, InputTypes inputs) {
  return {{inputs[0]->dtype, transposed(op, inputs[0]->shape)}};
}

std::vector<TensorType> infer(const Squeeze& op, InputTypes inputs) {
  return {{inputs[0]->dtype, squeezed(op, inputs[0]->shape)}};
}

std::vector<TensorType> infer(const Unsqueeze& op, InputTypes inputs) {
  return {{inputs[0]->dtype, unsqueezed(op, inputs[0]->shape)}};
}

std::vector<TensorType> infer(const Concat& op, InputTypes inputs) {
  std::vector<Shape> shapes;
  for (const TensorType* input : inputs) {
    if (input->dtype != inputs[0]->dtype) throw InputError("Concat", "inputs of different types");
    shapes.push_back(input->shape);
  }
  return {{inputs[0]->dtype, joined(op, shapes)}};
}

std::vector<Tensor> evaluate(const Transpose& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const std::vector<std::size_t> permutation = permutation_of(op, x.rank());
  Strided from;
  for (std::size_t d : permutation) from.strides.push_back(product(x.shape(), d + 1, x.rank()));
  return {copy_strided(x, transposed(op, x.shape()), from)};
}

std::vector<Tensor> evaluate(const Concat& op, InputTensors inputs) {
  std::vector<Shape> shapes;
  for (const Tensor* input : inputs) shapes.push_back(input->shape());
  Tensor y(inputs[0]->dtype(), joined(op, shapes));
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, y.rank(), "Concat"));
  const std::size_t size = size_of(y.dtype());
  std::byte* out = y.mutable_bytes().data();
  for (std::int64_t outer = 0; outer < product(y.shape(), 0, axis); ++outer)
    for (const Tensor* input : inputs) {
      const std::size_t bytes = static_cast<std::size_t>(product(input->shape(), axis, input->rank())) * size;
      if (bytes > 0) std::memcpy(out, input->bytes().data() + static_cast<std::size_t>(outer) * bytes, bytes);
      out += bytes;
    }
  return {y};
}

std::vector<Tensor> evaluate(const Squeeze& op, InputTensors inputs) {
  return {inputs[0]->reshaped(squeezed(op, inputs[0]->shape()))};
}

std::vector<Tensor> evaluate(const Unsqueeze& op, InputTensors inputs) {
  return {inputs[0]->reshaped(unsqueezed(op, inputs[0]->shape()))};
}

}  // namespace halftone::ir
