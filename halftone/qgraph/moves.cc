#include "halftone/qgraph/moves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/numeric/quant_params.h"

namespace halftone::qgraph {
namespace {

[[noreturn]] void fail(std::string_view what) { throw InputError("move", what); }

// `shape` with its kDynamic dimension, if there is one, as long as `count` elements ask for; `batch` where no element says it.
Shape filled(Shape shape, std::int64_t count, std::int64_t batch) {
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::int64_t& dim : shape) {
    if (dim != kDynamic) {
      known *= dim;
      continue;
    }
    if (open != nullptr) fail(fmt::format("shape {} leaves two dimensions open", to_string(shape)));
    open = &dim;
  }
  if (open != nullptr) *open = known == 0 ? batch : count / known;
  if (element_count(shape) != count) fail(fmt::format("{} elements for shape {}", count, to_string(shape)));
  return shape;
}

bool leaves_one_open(const Shape& shape) { return std::ranges::count(shape, kDynamic) < 2; }

std::int64_t batch_of(const Shape& x) { return x.empty() ? 1 : x[0]; }

Shape view_of(const Move& op, const Shape& x) {
  return op.view.empty() ? x : filled(op.view, element_count(x), batch_of(x));
}

// The sizes of the result along the axes.
Shape sizes_of(const Move& op, const Shape& view) {
  Shape sizes;
  for (const MovedAxis& axis : op.axes)
    sizes.push_back(axis.at ? static_cast<std::int64_t>(axis.at->size()) : view.at(axis.source));
  return sizes;
}

// Offsets of the elements along each axis.
std::vector<std::vector<std::int64_t>> offsets_of(const Move& op, const Shape& view) {
  std::vector<std::vector<std::int64_t>> offsets;
  for (const MovedAxis& axis : op.axes) {
    const std::int64_t size = view.at(axis.source);
    const std::int64_t stride = product(view, axis.source + 1, view.size());
    std::vector<std::int64_t>& each = offsets.emplace_back();
    for (std::int64_t i = 0; i < (axis.at ? static_cast<std::int64_t>(axis.at->size()) : size); ++i) {
      const std::int64_t place = axis.at ? (*axis.at)[static_cast<std::size_t>(i)] : i;
      if (place < 0 || place >= size) fail(fmt::format("place {} in a dimension of {}", place, size));
      each.push_back(place * stride);
    }
  }
  return offsets;
}

// Calls each(offset) for every element of the product of the lists, row-major; a list gives offsets along one dimension.
template <typename F>
void for_offsets(const std::vector<std::vector<std::int64_t>>& lists, F&& each) {
  if (std::ranges::any_of(lists, [](const auto& list) { return list.empty(); })) return;
  std::vector<std::size_t> index(lists.size(), 0);
  for (;;) {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < lists.size(); ++d) offset += lists[d][index[d]];
    each(offset);
    std::size_t d = lists.size();
    while (d > 0 && ++index[d - 1] == lists[d - 1].size()) index[--d] = 0;
    if (d == 0) return;
  }
}

}  // namespace

Shape shape_of(const Move& op, const Shape& x, const Shape& declared) {
  const Shape view = view_of(op, x);
  const Shape sizes = op.axes.empty() ? view : sizes_of(op, view);
  if (!leaves_one_open(declared) && declared.size() != sizes.size())
    fail(fmt::format("shape {} leaves two dimensions open", to_string(declared)));
  return leaves_one_open(declared) ? filled(declared, element_count(sizes), batch_of(x)) : sizes;
}

Shape shape_of(const Concat& op, std::span<const Shape> inputs) {
  Shape shape = inputs[0];
  for (const Shape& input : inputs.subspan(1)) {
    for (std::size_t d = 0; d < shape.size(); ++d)
      if (input.size() != shape.size() || (d != op.axis && input[d] != shape[d]))
        fail(fmt::format("joins shapes {} and {} along dimension {}", to_string(shape), to_string(input), op.axis));
    shape.at(op.axis) += input.at(op.axis);
  }
  return shape;
}

Shape shape_of(const Pad& op, const Shape& x) {
  Shape shape = x;
  for (std::size_t d = 0; d < shape.size(); ++d) shape[d] = std::max<std::int64_t>(0, shape[d] + op.before.at(d) + op.after.at(d));
  return shape;
}

Shape shape_of(const Extreme&, std::span<const Shape> inputs) {
  Shape shape = inputs[0];
  for (const Shape& input : inputs.subspan(1)) shape = ir::broadcast_shape(shape, input);
  return shape;
}

Tensor moved(const Move& op, const Tensor& x, const Shape& declared) {
  const Shape shape = shape_of(op, x.shape(), declared);
  if (op.axes.empty()) return x.reshaped(shape);
  Tensor y(x.dtype(), shape);
  const std::size_t size = size_of(x.dtype());
  const std::byte* from = x.bytes().data();
  std::byte* to = y.mutable_bytes().data();
  for_offsets(offsets_of(op, view_of(op, x.shape())), [&](std::int64_t offset) {
    std::memcpy(to, from + static_cast<std::size_t>(offset) * size, size);
    to += size;
  });
  return y;
}

Tensor joined(const Concat& op, std::span<const Tensor* const> inputs) {
  std::vector<Shape> shapes;
  for (const Tensor* input : inputs) shapes.push_back(input->shape());
  const Shape shape = shape_of(op, shapes);
  Tensor y(inputs[0]->dtype(), shape);
  const std::size_t inner = static_cast<std::size_t>(product(shape, op.axis + 1, shape.size())) * size_of(y.dtype());
  const std::size_t row = static_cast<std::size_t>(shape[op.axis]) * inner;
  std::byte* to = y.mutable_bytes().data();
  for (const Tensor* input : inputs) {
    const std::size_t part = static_cast<std::size_t>(input->dim(op.axis)) * inner;
    for (std::size_t i = 0; part > 0 && i < input->byte_size() / part; ++i)
      std::memcpy(to + i * row, input->bytes().data() + i * part, part);
    to += part;
  }
  return y;
}

Tensor padded(const Pad& op, const Tensor& x) {
  const Shape shape = shape_of(op, x.shape());
  std::vector<std::int32_t> y(static_cast<std::size_t>(element_count(shape)), op.value);
  std::vector<std::vector<std::int64_t>> from(shape.size());
  std::vector<std::vector<std::int64_t>> to(shape.size());
  for (std::size_t d = 0; d < shape.size(); ++d)
    for (std::int64_t i = std::max<std::int64_t>(0, -op.before[d]); i < std::min(x.dim(d), shape[d] - op.before[d]); ++i) {
      from[d].push_back(i * product(x.shape(), d + 1, x.rank()));
      to[d].push_back((i + op.before[d]) * product(shape, d + 1, shape.size()));
    }
  std::vector<std::int64_t> places;
  for_offsets(to, [&](std::int64_t offset) { places.push_back(offset); });
  const std::vector<std::int32_t> in = numeric::to_int32(x);
  std::size_t next = 0;
  for_offsets(from, [&](std::int64_t offset) { y[static_cast<std::size_t>(places[next++])] = in[static_cast<std::size_t>(offset)]; });
  return numeric::from_int32(shape, y, x.dtype());
}

Tensor chosen(const Extreme& op, std::span<const Tensor* const> inputs) {
  std::vector<Shape> shapes;
  for (const Tensor* input : inputs) shapes.push_back(input->shape());
  const Shape shape = shape_of(op, shapes);
  std::vector<std::int32_t> y;
  for (const Tensor* input : inputs) {
    const std::vector<std::int64_t> index = ir::broadcast_index(input->shape(), shape);
    const std::vector<std::int32_t> x = numeric::to_int32(*input);
    if (y.empty()) y.assign(index.size(), op.largest ? INT32_MIN : INT32_MAX);
    for (std::size_t i = 0; i < index.size(); ++i) {
      const std::int32_t each = x[static_cast<std::size_t>(index[i])];
      y[i] = op.largest ? std::max(y[i], each) : std::min(y[i], each);
    }
  }
  return numeric::from_int32(shape, y, inputs[0]->dtype());
}

}  // namespace halftone::qgraph
