#include "halftone/lower/moves.h"

#include <algorithm>
#include <numeric>

namespace halftone::lower {
namespace {

using Places = std::optional<std::vector<std::int64_t>>;

qgraph::Move in_order() { return {}; }

// Dimension d of the result is dimension permutation[d] of the view.
qgraph::Move permuted(Shape view, const std::vector<std::int64_t>& permutation) {
  qgraph::Move move{.view = std::move(view), .axes = {}};
  for (std::int64_t source : permutation) move.axes.push_back({static_cast<std::size_t>(source), std::nullopt});
  return move;
}

// Every dimension of x, read at `places`.
std::optional<qgraph::Op> along_each(std::vector<Places> places, Shape view = {}) {
  qgraph::Move move{.view = std::move(view), .axes = {}};
  for (std::size_t d = 0; d < places.size(); ++d) {
    if (places[d] && static_cast<std::int64_t>(places[d]->size()) > kMostPlaces) return std::nullopt;
    move.axes.push_back({d, std::move(places[d])});
  }
  return move;
}

std::int64_t over(std::int64_t size, std::int64_t factor) { return size == kDynamic ? kDynamic : size / factor; }

// One dimension may be left open in the view: not both of a block's, nor the batch beside it.
std::optional<qgraph::Op> blocks(Shape view, const std::vector<std::int64_t>& permutation) {
  if (std::ranges::count(view, kDynamic) > 1) return std::nullopt;
  return permuted(std::move(view), permutation);
}

template <typename Op_>
std::optional<qgraph::Op> move_of(const Op_&, const Shape&, const Tensor*) {
  return in_order();  // reshapes
}

std::optional<qgraph::Op> move_of(const ir::Transpose& op, const Shape& x, const Tensor*) {
  std::vector<std::int64_t> permutation = op.permutation;
  if (permutation.empty()) {
    permutation.resize(x.size());
    std::iota(permutation.rbegin(), permutation.rend(), 0);
  }
  return permuted({}, permutation);
}

std::optional<qgraph::Op> move_of(const ir::DepthToSpace& op, const Shape& x, const Tensor*) {
  const std::int64_t b = op.block;
  const std::int64_t channels = over(x[1], b * b);
  if (op.columns_last) return blocks({x[0], channels, b, b, x[2], x[3]}, {0, 1, 4, 2, 5, 3});
  return blocks({x[0], b, b, channels, x[2], x[3]}, {0, 3, 4, 1, 5, 2});
}

std::optional<qgraph::Op> move_of(const ir::SpaceToDepth& op, const Shape& x, const Tensor*) {
  const std::int64_t b = op.block;
  return blocks({x[0], x[1], over(x[2], b), b, over(x[3], b), b}, {0, 3, 5, 1, 2, 4});
}

std::optional<qgraph::Op> move_of(const ir::Slice& op, const Shape& x, const Tensor*) {
  std::vector<Places> places(x.size());
  const std::vector<ir::Run> runs = ir::runs_of(op, x);
  for (std::size_t d = 0; d < x.size(); ++d) {
    const ir::Run& run = runs[d];
    if (run == ir::Run{0, x[d], 1}) continue;
    if (run.count > kMostPlaces) return std::nullopt;
    places[d].emplace();
    for (std::int64_t i = 0; i < run.count; ++i) places[d]->push_back(run.start + i * run.step);
  }
  return along_each(std::move(places));
}

std::optional<qgraph::Op> move_of(const ir::Gather& op, const Shape& x, const Tensor* indices) {
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, x.size(), op.kName));
  std::vector<Places> places(x.size());
  places.at(axis).emplace();
  const Tensor wide = indices->cast(DType::int64);
  for (std::int64_t place : wide.data<std::int64_t>()) {
    if (place < 0 && x[axis] == kDynamic) return std::nullopt;
    places[axis]->push_back(place < 0 ? place + x[axis] : place);
  }
  return along_each(std::move(places));
}

// New dimensions of size 1 stand before those of x; a dimension of size 1 is read as often as asked.
std::optional<qgraph::Op> move_of(const ir::Expand& op, const Shape& x, const Tensor*) {
  Shape view = x;
  if (op.shape.size() > x.size()) view.insert(view.begin(), op.shape.size() - x.size(), 1);
  if (std::ranges::count(view, kDynamic) > 1) return std::nullopt;
  std::vector<Places> places(view.size());
  for (std::size_t i = 0; i < op.shape.size(); ++i) {
    const std::size_t d = view.size() - op.shape.size() + i;
    if (op.shape[i] == 1 || op.shape[i] == view[d]) continue;
    if (view[d] == kDynamic || op.shape[i] > kMostPlaces) return std::nullopt;
    places[d].emplace(static_cast<std::size_t>(op.shape[i]), 0);
  }
  return along_each(std::move(places), std::move(view));
}

std::optional<qgraph::Op> move_of(const ir::Resize& op, const Shape& x, const Tensor*) {
  for (std::int64_t size : op.sizes)
    if (size > kMostPlaces) return std::nullopt;
  Shape known = x;
  std::ranges::replace(known, kDynamic, 1);
  std::vector<std::vector<std::int64_t>> all = ir::nearest_places(op, known);
  std::vector<Places> places(x.size());
  for (std::size_t d = 0; d < x.size(); ++d) {
    std::vector<std::int64_t> same(all[d].size());
    std::iota(same.begin(), same.end(), 0);
    const bool unchanged = all[d] == same && static_cast<std::int64_t>(same.size()) == known[d];
    if (x[d] == kDynamic && !unchanged) return std::nullopt;
    if (!unchanged) places[d] = std::move(all[d]);
  }
  return along_each(std::move(places));
}

}  // namespace

std::optional<qgraph::Op> integer_move(const ir::Op& op, const Shape& x, const Tensor* argument) {
  return std::visit([&](const auto& each) { return move_of(each, x, argument); }, op);
}

std::optional<qgraph::Op> integer_pad(const ir::Pad& pad, const Shape& x, std::int32_t value) {
  const std::size_t rank = x.size();
  if (pad.mode == ir::PadMode::constant) {
    const auto middle = pad.pads.begin() + static_cast<std::ptrdiff_t>(rank);
    return qgraph::Pad{{pad.pads.begin(), middle}, {middle, pad.pads.end()}, value};
  }
  std::vector<Places> places(rank);
  for (std::size_t d = 0; d < rank; ++d) {
    if (pad.pads[d] == 0 && pad.pads[rank + d] == 0) continue;
    if (x[d] + pad.pads[d] + pad.pads[rank + d] > kMostPlaces) return std::nullopt;
    places[d].emplace();
    for (std::int64_t i = -pad.pads[d]; i < x[d] + pad.pads[rank + d]; ++i) places[d]->push_back(ir::padding_source(i, x[d], pad.mode));
  }
  return along_each(std::move(places));
}

}  // namespace halftone::lower
