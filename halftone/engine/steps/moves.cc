// Elements in other places. Each is a list of where they stand, made once.
#include <algorithm>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/engine/spans.h"
#include "halftone/engine/steps.h"

namespace halftone::engine {
namespace {

using Places = std::vector<std::int64_t>;

// y[to[i]] = x[from[i]] in every sample.
Work place_step(SlotPointer x, SlotPointer y, const Places& from, const Places& to) {
  return [x, y, spans = Spans(from, to)](const Memory& memory) { spans.copy(*x, *y, memory); };
}

// The open dimension of a view, of as many elements as x has.
Shape filled(Shape view, std::int64_t elements, std::int64_t batch) {
  std::int64_t known = 1;
  for (std::int64_t dim : view) known *= dim == kDynamic ? 1 : dim;
  for (std::int64_t& dim : view)
    if (dim == kDynamic) dim = known == 0 ? batch : elements / known;
  return view;
}

// Row-major indices into a tensor of shape `view` that the axes of a move read, in the order of its result.
Places moved_indices(const qgraph::Move& op, const Shape& view) {
  Places indices{0};
  for (const qgraph::MovedAxis& axis : op.axes) {
    const std::int64_t stride = product(view, axis.source + 1, view.size());
    Places longer;
    for (std::int64_t index : indices)
      for (std::int64_t i = 0; i < (axis.at ? static_cast<std::int64_t>(axis.at->size()) : view[axis.source]); ++i) {
        const std::int64_t place = axis.at ? (*axis.at)[static_cast<std::size_t>(i)] : i;
        if (place < 0 || place >= view[axis.source]) throw InputError("move", "a place outside of its dimension");
        longer.push_back(index + place * stride);
      }
    indices = std::move(longer);
  }
  return indices;
}

Places chosen(const Places& places, const Places& indices) {
  Places result;
  for (std::int64_t i : indices) result.push_back(places[static_cast<std::size_t>(i)]);
  return result;
}

}  // namespace

Work move_step(const qgraph::Move& op, SlotPointer x, SlotPointer y) {
  const Places from = x->layout.places();
  if (op.axes.empty() && from.size() != y->layout.places().size()) throw InputError(y->layout.name, "another number of elements than is moved");
  if (op.axes.empty()) return place_step(x, y, from, y->layout.places());
  const Shape& shape = x->layout.shape;
  const Shape view = op.view.empty() ? shape : filled(op.view, static_cast<std::int64_t>(from.size()), shape.empty() ? 1 : shape[0]);
  const std::vector<std::int64_t> to = y->layout.places();
  const Places indices = moved_indices(op, view);
  if (product(view, 0, view.size()) != static_cast<std::int64_t>(from.size()) || indices.size() != to.size())
    throw InputError(y->layout.name, fmt::format("{} elements moved from {} in {}, expected {}", indices.size(), from.size(), to_string(view), to.size()));
  return place_step(x, y, chosen(from, indices), to);
}

Work concat_step(const qgraph::Concat& op, std::vector<SlotPointer> x, SlotPointer y) {
  const Shape& shape = y->layout.shape;
  const std::int64_t inner = product(shape, op.axis + 1, shape.size());
  const Places all = y->layout.places();
  std::vector<Work> parts;
  std::int64_t first = 0;
  for (const SlotPointer& each : x) {
    const std::int64_t row = each->layout.shape.at(op.axis) * inner;
    first += row;
    if (each->joined == y) continue;  // it stands there already
    Places to;
    for (std::int64_t i = 0; i < product(each->layout.shape, 0, each->layout.shape.size()); ++i)
      to.push_back(all[static_cast<std::size_t>(i / row * shape[op.axis] * inner + first - row + i % row)]);
    parts.push_back(place_step(each, y, each->layout.places(), to));
  }
  return [parts](const Memory& memory) {
    for (const Work& part : parts) part(memory);
  };
}

Work pad_step(const qgraph::Pad& op, SlotPointer x, SlotPointer y) {
  const Shape& from = x->layout.shape;
  const Shape& to = y->layout.shape;
  const Places x_places = x->layout.places();
  const Places y_places = y->layout.places();
  Places kept_from;
  Places kept_to;
  for (std::size_t i = 0; i < y_places.size(); ++i) {
    std::int64_t index = 0;
    std::int64_t rest = static_cast<std::int64_t>(i);
    bool inside = true;
    for (std::size_t d = 0; d < to.size(); ++d) {
      const std::int64_t stride = product(to, d + 1, to.size());
      const std::int64_t at = rest / stride - op.before[d];
      rest %= stride;
      inside = inside && at >= 0 && at < from[d];
      index = index * from[d] + at;
    }
    if (!inside) continue;
    kept_from.push_back(x_places[static_cast<std::size_t>(index)]);
    kept_to.push_back(y_places[i]);
  }
  const Work inner = place_step(x, y, kept_from, kept_to);
  return [inner, y, y_places, stored = op.value - y->layout.base](const Memory& memory) {
    with_type(y->layout, [&]<typename T>(T) {
      for (std::int64_t s = 0; s < memory.samples; ++s)
        for (std::int64_t place : y_places) y->write<T>(memory)[s * y->layout.elements() + place] = static_cast<T>(stored);
    });
    inner(memory);
  };
}

Work constant_step(const qgraph::Constant& op, SlotPointer y) {
  const Tensor tensor = op.tensor;
  return [tensor, y, places = y->layout.places()](const Memory& memory) {
    for (std::int64_t s = 0; s < memory.samples; ++s) {
      std::byte* to = y->mutable_bytes(memory) + static_cast<std::size_t>(s) * y->layout.bytes();
      if (!y->layout.grid) {
        std::memcpy(to, tensor.bytes().data(), tensor.byte_size());
        continue;
      }
      const std::vector<std::int32_t> q = numeric::to_int32(tensor);
      with_type(y->layout, [&]<typename T>(T) {
        for (std::size_t i = 0; i < places.size(); ++i) reinterpret_cast<T*>(to)[places[i]] = static_cast<T>(q[i] - y->layout.base);
      });
    }
  };
}

}  // namespace halftone::engine
