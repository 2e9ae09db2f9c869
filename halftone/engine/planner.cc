#include "halftone/engine/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "halftone/base/error.h"
#include "halftone/engine/memory_plan.h"
#include "halftone/engine/separable.h"
#include "halftone/kernels/linear/linear.h"
#include "halftone/qgraph/check.h"

namespace halftone::engine {
namespace {

constexpr std::int64_t kMostTogether = 64;  // samples, where all is rows
static_assert(kSlack >= kernels::kReadBehind);

bool has_windows(const qgraph::Op& op) {
  return std::holds_alternative<qgraph::Conv>(op) || std::holds_alternative<qgraph::MaxPool>(op) ||
         std::holds_alternative<qgraph::AveragePool>(op);
}

// The padding that a Conv reads along one dimension, in front and behind.
std::pair<std::int64_t, std::int64_t> padding_of(const ir::WindowAxis& axis) {
  const std::int64_t last = (axis.out - 1) * axis.stride - axis.pad_begin + (axis.kernel - 1) * axis.dilation;
  return {std::max<std::int64_t>(0, axis.pad_begin), std::max<std::int64_t>(0, last - axis.in + 1)};
}

// Whether the sizes that a node holds are those of its operands: kernels do not look again.
class Fits {
 public:
  Fits(const std::vector<SlotPointer>& x, const SlotPointer& y) : x_(x), y_(y->layout) {}

  bool operator()(const qgraph::Gemm& op) const {
    return !in().shape.empty() && in().shape.back() == op.linear.reduction && y_.shape.back() == op.linear.channels && op.linear.channels > 0;
  }
  bool operator()(const qgraph::Conv& op) const {
    const std::int64_t window = op.axes[0].kernel * op.axes[1].kernel;
    return has_plane(op.axes, op.spread) && y_.channels() == op.linear.channels && in().channels() % op.groups == 0 &&
           in().channels() / op.groups * window == op.linear.reduction;
  }
  bool operator()(const qgraph::MaxPool& op) const { return has_plane(op.axes, {1, 1}) && y_.channels() == in().channels(); }
  bool operator()(const qgraph::AveragePool& op) const { return has_plane(op.axes, {1, 1}) && y_.channels() == in().channels(); }
  template <typename T>
  bool operator()(const T&) const {
    return true;
  }

 private:
  const Layout& in() const { return x_.at(0)->layout; }
  bool has_plane(const ir::PlaneAxes& axes, const std::array<std::int64_t, 2>& spread) const {
    const auto is_plane = [](const Shape& shape) { return shape.size() == 3 || shape.size() == 4; };
    if (!is_plane(in().shape) || !is_plane(y_.shape)) return false;
    const auto given = [&](std::size_t d) { return (axes[d].in + spread[d] - 1) / spread[d]; };
    return given(0) == in().rows() && given(1) == in().columns() && axes[0].out == y_.rows() && axes[1].out == y_.columns() &&
           in().images() == y_.images();
  }

  const std::vector<SlotPointer>& x_;
  const Layout& y_;
};

// A plane with its padding may be so many times the plane, and 4,096 places: what pads more is read one place after another.
constexpr double kMostPadded = 8.0;
constexpr double kAlwaysPadded = 4096.0;

// Integers are copied as they are stored: both ends must mean the same by them.
void expect_one_grid(const qgraph::Node& node, const std::vector<SlotPointer>& x, const SlotPointer& y) {
  for (const SlotPointer& each : x)
    if (each->layout.element != y->layout.element || each->layout.base != y->layout.base)
      throw InputError(node.name, fmt::format("'{}' and '{}' have formats of their own", each->layout.name, y->layout.name));
}

}  // namespace

Planner::Planner(const qgraph::QuantizedGraph& graph, const Options& options, Program& program)
    : graph_(graph), options_(options), program_(program) {}

void Planner::plan() {
  qgraph::check(graph_);
  if (options_.batch < 1) throw UsageError("engine", fmt::format("a batch of {}, expected 1 or more", options_.batch));
  program_.batch_ = options_.batch;
  program_.separable_ = is_separable(graph_);
  program_.least_part_ = options_.least_part;
  program_.sample_time_ = static_cast<double>(qgraph::count_work(graph_).integer_macs) / kernels::multiply_adds_a_nanosecond(options_.isa);
  shapes_ = qgraph::shapes_of_batch(graph_, program_.separable_ ? 1 : options_.batch);
  choose_layouts();
  join_channels();
  const bool has_planes = std::ranges::any_of(layouts_, &Layout::channels_last);
  const std::int64_t together = options_.keep_values ? options_.batch : has_planes ? 1 : std::min(options_.batch, kMostTogether);
  program_.unit_ = program_.separable_ ? together : 1;
  add_inputs();
  for (const qgraph::Node& node : graph_.nodes) add_node(node);
  for (qgraph::ValueId id : graph_.outputs) {
    const SlotPointer slot = slots_[static_cast<std::size_t>(id)];
    program_.outputs_.push_back({slot->layout.name, slot->layout.dtype, slot->layout.shape});
    program_.output_slots_.push_back(slot);
    program_.output_places_.push_back(slot->layout.places());
  }
  place_values();
}

void Planner::choose_layouts() {
  for (std::size_t v = 0; v < graph_.values.size(); ++v)
    if (!is_static(shapes_[v]))
      throw UnsupportedError(graph_.values[v].name, fmt::format("shape {} where the input has {} samples, expected one that is known", to_string(shapes_[v]), options_.batch));
  for (std::size_t v = 0; v < graph_.values.size(); ++v) layouts_.push_back(layout_of(graph_.values[v], shapes_[v]));
  for (const qgraph::Node& node : graph_.nodes) {
    if (!has_windows(node.op)) continue;
    Layout& x = layouts_[static_cast<std::size_t>(node.inputs[0])];
    Layout& y = layouts_[static_cast<std::size_t>(node.output())];
    x.channels_last = y.channels_last = true;
    if (const auto* conv = std::get_if<qgraph::Conv>(&node.op)) add_border(*conv, x);
  }
}

void Planner::add_border(const qgraph::Conv& op, Layout& x) const {
  const std::int32_t filling = op.x_zero_point - x.base;
  if (op.spread != std::array<std::int64_t, 2>{1, 1} || (x.has_border() && x.filling != filling)) return;
  std::array<std::int64_t, 4> border = x.border;
  double size[2] = {};  // of numbers that may be beyond 64 bits
  for (std::size_t d = 0; d < 2; ++d) {
    const auto [before, behind] = padding_of(op.axes[d]);
    border[2 * d] = std::max(border[2 * d], before);
    border[2 * d + 1] = std::max(border[2 * d + 1], behind);
    size[d] = static_cast<double>(border[2 * d]) + static_cast<double>(op.axes[d].in) + static_cast<double>(border[2 * d + 1]);
  }
  const double plane = static_cast<double>(x.rows()) * static_cast<double>(x.columns());
  if (size[0] * size[1] > kMostPadded * plane + kAlwaysPadded) return;
  x.border = border;
  x.filling = filling;
}

void Planner::join_channels() {
  joined_.resize(layouts_.size());
  std::vector<int> reads(layouts_.size(), 0);
  std::vector<bool> made_by_conv(layouts_.size(), false);
  for (const qgraph::Node& node : graph_.nodes) {
    for (qgraph::ValueId id : node.inputs) ++reads[static_cast<std::size_t>(id)];
    if (std::holds_alternative<qgraph::Conv>(node.op)) made_by_conv[static_cast<std::size_t>(node.output())] = true;
  }
  for (qgraph::ValueId id : graph_.outputs) ++reads[static_cast<std::size_t>(id)];
  for (const qgraph::Node& node : graph_.nodes) {
    const auto* concat = std::get_if<qgraph::Concat>(&node.op);
    const Layout& y = layouts_[static_cast<std::size_t>(node.output())];
    if (concat == nullptr || concat->axis != 1 || !y.channels_last) continue;
    std::int64_t first = 0;
    for (qgraph::ValueId id : node.inputs) {
      const auto v = static_cast<std::size_t>(id);
      Layout& x = layouts_[v];
      if (reads[v] == 1 && made_by_conv[v] && x.channels_last && x.element == y.element && x.base == y.base) {
        joined_[v] = {node.output(), first};
        x.joined_channels = y.pixel_pitch();
        x.border = y.border;
        x.filling = y.filling;
      }
      first += x.shape.at(1);
    }
  }
}

SlotPointer Planner::slot_for(qgraph::ValueId id) {
  const auto v = static_cast<std::size_t>(id);
  if (slots_[v]) return slots_[v];
  const Joined& part = joined_[v];
  if (part.in < 0) return slots_[v] = make_slot(layouts_[v]);
  parts_.push_back(std::make_shared<Slot>(Slot{.layout = layouts_[v], .joined = slot_for(part.in), .first_channel = part.first_channel}));
  return slots_[v] = parts_.back();
}

bool Planner::stays_in_place(const qgraph::Node& node) const {
  const auto* move = std::get_if<qgraph::Move>(&node.op);
  if (move == nullptr || !move->axes.empty()) return false;
  const Slot& x = *slots_[static_cast<std::size_t>(node.inputs[0])];
  const Layout& y = layouts_[static_cast<std::size_t>(node.output())];
  return !x.input && !x.layout.channels_last && !y.channels_last && x.layout.element == y.element && x.layout.base == y.base &&
         x.layout.elements() == y.elements();
}

SlotPointer Planner::alias(qgraph::ValueId id, const SlotPointer& x) {
  const auto v = static_cast<std::size_t>(id);
  parts_.push_back(std::make_shared<Slot>(Slot{.layout = layouts_[v], .joined = x->joined ? x->joined : x}));
  return slots_[v] = parts_.back();
}

std::shared_ptr<Slot> Planner::make_slot(Layout layout) {
  all_.push_back(std::make_shared<Slot>(Slot{.layout = std::move(layout)}));
  return all_.back();
}

void Planner::append(std::string name, std::vector<SlotPointer> reads, std::vector<SlotPointer> writes, Work work, bool shows) {
  const std::vector<SlotPointer> written = writes;
  program_.steps_.push_back({name, std::move(reads), std::move(writes), std::move(work), shows});
  for (const SlotPointer& y : written)
    if (y->layout.has_border() && !y->joined) program_.steps_.push_back({name + " border", {}, {y}, border_step(y), false});
}

void Planner::add_inputs() {
  slots_.resize(graph_.values.size());
  row_major_.resize(graph_.values.size());
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(graph_.inputs[i]);
    Layout given = layout_of(graph_.values[id], shapes_[id]);
    given.element = size_of(given.dtype);
    program_.inputs_.push_back({given.name, given.dtype, given.shape});
    auto input = std::make_shared<Slot>(Slot{.layout = std::move(given), .input = i});
    slots_[id] = input;
    if (graph_.values[id].grid) {
      slots_[id] = make_slot(layouts_[id]);
      append(graph_.values[id].name, {}, {slots_[id]}, import_step(input, slots_[id]));
    }
    program_.input_slots_.push_back(slots_[id]);
  }
}

SlotPointer Planner::row_major(qgraph::ValueId id) {
  const auto v = static_cast<std::size_t>(id);
  if (!slots_[v]->layout.channels_last) return slots_[v];
  if (row_major_[v]) return row_major_[v];
  Layout layout = layouts_[v];
  layout.channels_last = false;
  layout.border = {};
  const auto copy = make_slot(std::move(layout));
  append(graph_.values[v].name + " row-major", {slots_[v]}, {copy}, copy_step(slots_[v], copy), false);
  return row_major_[v] = copy;
}

void Planner::add_node(const qgraph::Node& node) {
  std::vector<SlotPointer> x;
  for (qgraph::ValueId id : node.inputs)
    x.push_back(std::holds_alternative<qgraph::Gemm>(node.op) ? row_major(id) : slots_[static_cast<std::size_t>(id)]);
  std::vector<SlotPointer> y;
  if (stays_in_place(node)) {
    y.push_back(alias(node.output(), x[0]));
    append(node.name, x, y, [](const Memory&) {});
    return;
  }
  for (qgraph::ValueId id : node.outputs) y.push_back(slot_for(id));
  if (std::holds_alternative<qgraph::Gemm>(node.op) && y[0]->layout.channels_last) {
    Layout rows = y[0]->layout;
    rows.channels_last = false;
    rows.border = {};
    const SlotPointer made = make_slot(std::move(rows));
    append(node.name, x, {made}, work_of(node, x, {made}), false);
    append(node.name + " channels last", {made}, y, copy_step(made, y[0]));
    return;
  }
  append(node.name, x, y, work_of(node, x, y), !std::holds_alternative<qgraph::Island>(node.op));  // an island shows its values itself
}

Work Planner::work_of(const qgraph::Node& node, const std::vector<SlotPointer>& x, const std::vector<SlotPointer>& y) {
  struct Maker {
    const qgraph::Node& node;
    const Options& options;
    const std::vector<SlotPointer>& x;
    const std::vector<SlotPointer>& y;

    Work operator()(const qgraph::Quantize& op) const { return quantize_step(op, options.isa, x[0], y[0]); }
    Work operator()(const qgraph::Dequantize& op) const { return dequantize_step(op, x[0], y[0]); }
    Work operator()(const qgraph::Gemm& op) const {
      return has_kernels(op.linear, x[0]->layout, y[0]->layout) ? gemm_step(op, options.isa, x[0], y[0]) : wide_gemm_step(op, x[0], y[0]);
    }
    Work operator()(const qgraph::Conv& op) const {
      const bool plain = op.spread == std::array<std::int64_t, 2>{1, 1} && is_covered(op);
      return plain && has_kernels(op.linear, x[0]->layout, y[0]->layout) ? conv_step(op, options.isa, x[0], y[0])
                                                                          : wide_conv_step(op, x[0], y[0]);
    }
    Work operator()(const qgraph::Table& op) const { return table_step(op, options.isa, x[0], y[0]); }
    Work operator()(const qgraph::Requantize& op) const { return requantize_step(op, options.isa, x[0], y[0]); }
    Work operator()(const qgraph::Add& op) const { return add_step(op, options.isa, x[0], x[1], y[0]); }
    Work operator()(const qgraph::Mul& op) const { return mul_step(op, x[0], x[1], y[0]); }
    Work operator()(const qgraph::AveragePool& op) const { return average_pool_step(op, options.isa, x[0], y[0]); }
    Work operator()(const qgraph::MaxPool& op) const { return same_grid(max_pool_step(op, options.isa, x[0], y[0])); }
    Work operator()(const qgraph::Extreme& op) const { return same_grid(extreme_step(op, x, y[0])); }
    Work operator()(const qgraph::Move& op) const { return same_grid(move_step(op, x[0], y[0])); }
    Work operator()(const qgraph::Concat& op) const { return same_grid(concat_step(op, x, y[0])); }
    Work operator()(const qgraph::Pad& op) const { return same_grid(pad_step(op, x[0], y[0])); }
    Work operator()(const qgraph::Constant& op) const { return constant_step(op, y[0]); }
    Work operator()(const qgraph::Island& op) const {
      if (!options.make_executor) throw UnsupportedError(node.name, "a float island, and nothing to run it on");
      return island_step(op, options.make_executor, x, y);
    }

    Work same_grid(Work work) const {
      expect_one_grid(node, x, y[0]);
      return work;
    }
    // Whether the input's border holds the padding that this layer reads.
    bool is_covered(const qgraph::Conv& op) const {
      const Layout& from = x[0]->layout;
      bool needed = false;
      for (std::size_t d = 0; d < 2; ++d) {
        const auto [before, behind] = padding_of(op.axes[d]);
        if (before > from.border[2 * d] || behind > from.border[2 * d + 1]) return false;
        needed = needed || before > 0 || behind > 0;
      }
      return !needed || from.filling == op.x_zero_point - from.base;
    }
  };
  if (!std::visit(Fits(x, y[0]), node.op)) throw InputError(node.name, "its sizes are not those of its operands");
  return std::visit(Maker{node, options_, x, y}, node.op);
}

void Planner::place_values() {
  std::map<const Slot*, std::size_t> index;
  std::vector<Lifetime> lifetimes(all_.size());
  for (std::size_t i = 0; i < all_.size(); ++i) {
    index[all_[i].get()] = i;
    lifetimes[i] = {.bytes = all_[i]->layout.bytes() * static_cast<std::size_t>(program_.unit_), .first = program_.steps_.size(), .last = 0};
  }
  const auto touch = [&](const SlotPointer& slot, std::size_t step) {
    if (slot->input) return;
    Lifetime& life = lifetimes[index.at(slot->joined ? slot->joined.get() : slot.get())];
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  for (std::size_t s = 0; s < program_.steps_.size(); ++s) {
    for (const SlotPointer& slot : program_.steps_[s].reads) touch(slot, s);
    for (const SlotPointer& slot : program_.steps_[s].writes) touch(slot, s);
  }
  for (const SlotPointer& slot : program_.output_slots_) touch(slot, program_.steps_.size());
  if (options_.keep_values)
    for (Lifetime& life : lifetimes) life = {life.bytes, 0, program_.steps_.size()};
  const MemoryPlan plan = plan_memory(lifetimes);
  for (std::size_t i = 0; i < all_.size(); ++i) all_[i]->offset = plan.offsets[i];
  for (const std::shared_ptr<Slot>& part : parts_)
    part->offset = part->joined->offset + static_cast<std::size_t>(part->first_channel) * part->layout.element;
  program_.arena_bytes_ = plan.bytes;
}

}  // namespace halftone::engine
