#include <algorithm>
#include <cmath>

#include "halftone/ir/moves.h"
#include "halftone/lower/lowering.h"

namespace halftone::lower {

qgraph::ValueId Lowering::add_moved(const ir::Value& output, DType dtype, const numeric::Grid& grid) {
  if (!is_float(output.dtype)) return add_value(output.name, output.shape, dtype, grid);
  const std::string name = invented(output.name + "_integers");
  names_.erase(name);
  const qgraph::ValueId y = add_value(name, output.shape, dtype, grid);
  views_.insert(y);
  return y;
}

bool Lowering::try_move(const ir::Node& node) {
  std::optional<qgraph::Op> op;
  const qgraph::ValueId x = *integer_of(node.inputs[0]);
  const Shape& shape = out_.value(x).shape;
  if (const auto* pool = as<ir::MaxPool>(node); pool != nullptr && !pool->with_indices) {
    op = qgraph::MaxPool{ir::resolve_plane(pool->window, shape, node.name)};
  } else if (as<ir::GlobalMaxPool>(node) != nullptr && (shape.size() == 3 || shape.size() == 4)) {
    const ir::Window whole{.kernel = Shape(shape.begin() + 2, shape.end())};
    op = qgraph::MaxPool{ir::resolve_plane(whole, shape, node.name)};
  } else if (as<ir::Concat>(node) != nullptr || as<ir::Min>(node) != nullptr ||
             as<ir::Max>(node) != nullptr) {
    return try_join(node);
  } else if (const auto* pad = as<ir::Pad>(node)) {
    op = pad_of(node, *pad, x);
  } else if (ir::only_moves(node.op)) {
    const Tensor* argument = node.inputs.size() > 1 ? in_.constant(node.inputs[1]) : nullptr;
    if (node.inputs.size() == 1 || argument != nullptr) op = integer_move(node.op, shape, argument);
    if (op && !fits(std::get<qgraph::Move>(*op), in_.value(node.outputs[0]).shape)) op.reset();
  }
  if (!op) return false;
  const ir::Value& output = in_.value(node.outputs[0]);
  const qgraph::ValueId y = add_moved(output, out_.value(x).dtype, grid_of(x));
  integer_of(node.outputs[0]) = add_node(node.name, std::move(*op), {x}, y);
  return true;
}

bool Lowering::fits(const qgraph::Move& move, const Shape& y) {
  const bool by_dimension = move.view.empty() && move.axes.size() == y.size();
  if (std::ranges::count(y, kDynamic) > 1 && !by_dimension) return false;
  std::int64_t places = 0;
  for (const qgraph::MovedAxis& axis : move.axes) places += axis.at ? static_cast<std::int64_t>(axis.at->size()) : 0;
  if (places > places_left_) return false;
  places_left_ -= places;
  return true;
}

std::optional<qgraph::Op> Lowering::pad_of(const ir::Node& node, const ir::Pad& pad, qgraph::ValueId x) const {
  const Shape& shape = out_.value(x).shape;
  if (!is_float(in_.value(node.inputs[0]).dtype)) return integer_pad(pad, shape, ir::rounded_to<std::int32_t>(pad.value));
  const bool zero = pad.value == 0.0 || pad.mode != ir::PadMode::constant;
  if (!zero && (std::isnan(pad.value) || grid_behind(node.outputs[0]) != grid_of(x)))
    return std::nullopt;
  return integer_pad(pad, shape,
                     numeric::quantize(zero ? 0.0F : static_cast<float>(pad.value), grid_of(x),
                                       out_.arithmetic.rounding));
}

bool Lowering::try_clip(const ir::Node& node) {
  const auto* clip = as<ir::Clip>(node);
  if (clip == nullptr || is_float(in_.value(node.inputs[0]).dtype)) return false;
  const qgraph::ValueId x = *integer_of(node.inputs[0]);
  const numeric::Grid grid = grid_of(x);
  qgraph::Table table{.function = std::string(ir::Clip::kName), .x_qmin = grid.format.qmin()};
  for (std::int32_t q = grid.format.qmin(); q <= grid.format.qmax(); ++q)
    table.entries.push_back(static_cast<std::int32_t>(
        std::clamp<double>(ir::scalar(*clip, q), grid.format.qmin(), grid.format.qmax())));
  const ir::Value& output = in_.value(node.outputs[0]);
  const qgraph::ValueId y = add_value(output.name, output.shape, output.dtype, grid);
  integer_of(node.outputs[0]) = add_node(node.name, std::move(table), {x}, y);
  return true;
}

bool Lowering::try_join(const ir::Node& node) {
  std::vector<qgraph::ValueId> inputs;
  for (ir::ValueId id : node.inputs) {
    if (!integer_of(id) || !out_.value(*integer_of(id)).grid) return false;
    inputs.push_back(*integer_of(id));
  }
  const std::optional<numeric::Grid> behind = grid_behind(node.outputs[0]);
  const numeric::Grid grid = behind ? *behind : grid_of(inputs[0]);
  const auto is_on_grid = [&](qgraph::ValueId input) { return grid_of(input) == grid; };
  if (!behind && !std::ranges::all_of(inputs, is_on_grid)) return false;
  const DType dtype = numeric::storage_dtype(grid.format);
  for (qgraph::ValueId& input : inputs)
    if (!is_on_grid(input)) input = rescaled(input, grid, dtype);
  const qgraph::ValueId joined = add_moved(in_.value(node.outputs[0]), dtype, grid);
  integer_of(node.outputs[0]) = add_node(node.name, integer_join(node, in_.value(node.outputs[0]).shape.size()), std::move(inputs), joined);
  return true;
}

qgraph::Op Lowering::integer_join(const ir::Node& node, std::size_t rank) {
  if (const auto* concat = as<ir::Concat>(node))
    return qgraph::Concat{static_cast<std::size_t>(normalize_axis(concat->axis, rank, concat->kName))};
  return qgraph::Extreme{.largest = as<ir::Max>(node) != nullptr};
}

std::optional<numeric::Grid> Lowering::grid_behind(ir::ValueId id) const {
  const auto& readers = consumers_[static_cast<std::size_t>(id)];
  if (readers.size() != 1) return std::nullopt;
  const ir::Node& reader = in_.nodes[static_cast<std::size_t>(readers[0])];
  if (as<ir::QuantizeLinear>(reader) == nullptr) return std::nullopt;
  const numeric::QuantParams params = params_of(in_, reader);
  return params.granularity == numeric::Granularity::tensor ? std::optional(params.grid()) : std::nullopt;
}

qgraph::ValueId Lowering::rescaled(qgraph::ValueId x, const numeric::Grid& grid, DType dtype) {
  const std::string name = invented(out_.value(x).name + "_rescaled");
  names_.erase(name);
  const qgraph::ValueId y = add_value(name, out_.value(x).shape, dtype, grid);
  return add_node(name, make_requantize(grid_of(x), grid, out_.arithmetic, name), {x}, y);
}

}  // namespace halftone::lower
