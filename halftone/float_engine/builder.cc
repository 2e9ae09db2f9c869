#include "halftone/float_engine/builder.h"

#include <algorithm>
#include <utility>

namespace halftone::float_engine {

Builder::Builder(const ir::Graph& graph, Constants& constants)
    : graph_(graph), constants_(constants), places_(graph.values.size()) {
  const std::vector<int> uses = ir::use_counts(graph);
  for (std::size_t v = 0; v < places_.size(); ++v) places_[v].readers = uses[v];
  for (const ir::ValueId input : graph.inputs) add_tensor(input);
}

bool Builder::has_slots(ir::ValueId value) const {
  const ir::Value& known = graph_.value(value);
  return known.dtype == DType::float32 && is_static(known.shape) && element_count(known.shape) > 0 &&
         known.shape.size() <= DNNL_MAX_NDIMS;
}

ArenaBuffer* Builder::arena_of(SlotId id) {
  return std::get_if<ArenaBuffer>(&buffers_[static_cast<std::size_t>(slot(id).buffer)]);
}

SlotId Builder::add_slot(const Desc& desc, BufferId buffer) {
  slots_.push_back({desc, buffer});
  return static_cast<SlotId>(slots_.size()) - 1;
}

SlotId Builder::add_arena_slot(const Desc& desc) {
  buffers_.push_back(ArenaBuffer{.bytes = desc.get_size(), .first = steps_.size(), .last = steps_.size()});
  values_in_.emplace_back();
  return add_slot(desc, static_cast<BufferId>(buffers_.size()) - 1);
}

void Builder::add_tensor(ir::ValueId value) {
  at(value).has_tensor = true;
  if (!has_slots(value)) return;
  buffers_.push_back(TensorBuffer{value});
  values_in_.push_back({value});
  at(value).slots = {add_slot(plain(dims(value)), static_cast<BufferId>(buffers_.size()) - 1)};
}

void Builder::execute(dnnl::primitive primitive, std::vector<std::pair<int, SlotId>> arguments,
                      const Desc& scratch) {
  if (scratch.get_size() > 0) arguments.emplace_back(DNNL_ARG_SCRATCHPAD, add_arena_slot(scratch));
  for (const auto& [argument, id] : arguments)
    if (ArenaBuffer* arena = arena_of(id)) arena->last = steps_.size();
  steps_.emplace_back(Execute{std::move(primitive), std::move(arguments)});
}

void Builder::reorder(SlotId from, SlotId to) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc description(cpu(), slot(from).desc, cpu(), slot(to).desc, attributes);
  execute(dnnl::reorder(description), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}},
          description.scratchpad_desc());
}

SlotId Builder::first_slot(ir::ValueId value) {
  if (const Tensor* constant = graph_.constant(value)) {
    if (at(value).slots.empty()) {
      const Desc stored = plain(dims(value));
      buffers_.push_back(ConstantBuffer{constants_.get(value, *constant, stored, stored)});
      values_in_.push_back({value});
      at(value).slots = {add_slot(stored, static_cast<BufferId>(buffers_.size()) - 1)};
    }
  }
  return at(value).slots.at(0);
}

Desc Builder::layout(ir::ValueId value) { return slot(first_slot(value)).desc; }

SlotId Builder::read(ir::ValueId value, const Desc& wanted) {
  const Tensor* constant = graph_.constant(value);
  if (constant != nullptr) return read_as(value, plain(dims(value)), wanted);
  for (const SlotId id : at(value).slots)
    if (slot(id).desc == wanted) return id;
  const SlotId made = add_arena_slot(wanted);
  values_in_.back().push_back(value);
  reorder(first_slot(value), made);
  at(value).slots.push_back(made);
  return made;
}

SlotId Builder::read_as(ir::ValueId value, const Desc& view, const Desc& wanted) {
  if (const Tensor* constant = graph_.constant(value)) {
    buffers_.push_back(ConstantBuffer{constants_.get(value, *constant, view, wanted)});
    values_in_.emplace_back();
    return add_slot(wanted, static_cast<BufferId>(buffers_.size()) - 1);
  }
  const SlotId rows = read(value, plain(dims(value)));
  const SlotId seen = add_slot(view, slot(rows).buffer);
  if (view == wanted) return seen;
  const SlotId made = add_arena_slot(wanted);
  reorder(seen, made);
  return made;
}

// Whether nothing else needs what lies in the slot: its value has other places, or no reader but the node at
// hand, and the same goes for all values in the buffer.
bool Builder::may_overwrite(ir::ValueId value, SlotId id) {
  if (arena_of(id) == nullptr) return false;
  const BufferId buffer = slot(id).buffer;
  return std::ranges::all_of(values_in_[static_cast<std::size_t>(buffer)], [&](ir::ValueId other) {
    const bool elsewhere =
        std::ranges::any_of(at(other).slots, [&](SlotId s) { return slot(s).buffer != buffer; });
    return elsewhere || at(other).readers <= (other == value ? 1 : 0);
  });
}

SlotId Builder::overwrite(ir::ValueId value, const Desc& wanted, SlotId also_read) {
  const SlotId source = read(value, wanted);
  if (slot(source).buffer != slot(also_read).buffer && may_overwrite(value, source)) {
    const BufferId buffer = slot(source).buffer;
    for (const ir::ValueId other : std::exchange(values_in_[static_cast<std::size_t>(buffer)], {}))
      std::erase_if(at(other).slots, [&](SlotId s) { return slot(s).buffer == buffer; });
    return source;
  }
  const SlotId copy = add_arena_slot(wanted);
  reorder(source, copy);
  return copy;
}

SlotId Builder::write_as(ir::ValueId value, const Desc& view, const Desc& own) {
  const SlotId id = add_arena_slot(view);
  place(value, view == own ? id : add_slot(own, slot(id).buffer));
  return id;
}

void Builder::place(ir::ValueId value, SlotId id) {
  at(value).slots = {id};
  values_in_[static_cast<std::size_t>(slot(id).buffer)].push_back(value);
}

bool Builder::rename(ir::ValueId input, ir::ValueId output) {
  if (graph_.constant(input) != nullptr || at(input).has_tensor) return false;
  const SlotId rows = read(input, plain(dims(input)));
  place(output, add_slot(plain(dims(output)), slot(rows).buffer));
  return true;
}

void Builder::materialize(ir::ValueId value) {
  if (at(value).has_tensor || graph_.constant(value) != nullptr) return;
  const SlotId source = at(value).slots.at(0);
  steps_.emplace_back(Allocate{value});
  std::vector<SlotId> places = at(value).slots;
  add_tensor(value);
  reorder(source, at(value).slots.at(0));
  at(value).slots.insert(at(value).slots.begin(), places.begin(), places.end());
}

void Builder::evaluate(std::size_t index) {
  const ir::Node& node = graph_.nodes[index];
  for (const ir::ValueId id : node.inputs)
    if (id != ir::kNoValue) materialize(id);
  steps_.emplace_back(Evaluate{index});
  for (const ir::ValueId id : node.outputs) add_tensor(id);
}

void Builder::show(ir::ValueId value) {
  materialize(value);
  steps_.emplace_back(Show{value});
  // Other places hold what the visitor may have replaced.
  std::erase_if(at(value).slots, [&](SlotId id) { return arena_of(id) != nullptr; });
}

void Builder::done(ir::ValueId value) {
  if (--at(value).readers == 0 && at(value).has_tensor) steps_.emplace_back(Release{value});
}

void Builder::watch(ir::ValueId value) {
  for (std::size_t place = 0; place < graph_.outputs.size(); ++place) {
    if (graph_.outputs[place] != value) continue;
    if (at(value).slots.empty())
      steps_.emplace_back(WatchTensor{place, value});
    else
      watch_slot(place, value);
    done(value);
  }
}

// Layouts with padding hold more than the elements.
void Builder::watch_slot(std::size_t place, ir::ValueId value) {
  const auto elements = static_cast<std::size_t>(element_count(shape(value)));
  SlotId seen = at(value).slots.at(0);
  if (slot(seen).desc.get_size() != elements * sizeof(float)) seen = read(value, plain(dims(value)));
  if (ArenaBuffer* arena = arena_of(seen)) arena->last = steps_.size();
  steps_.emplace_back(WatchSlot{place, seen, elements, shape(value), innermost_channels(slot(seen).desc)});
}

std::unique_ptr<Program> Builder::finish(bool outputs) {
  if (outputs)
    for (const ir::ValueId output : graph_.outputs) materialize(output);
  return std::make_unique<Program>(graph_, std::move(buffers_), std::move(slots_), std::move(steps_));
}

}  // namespace halftone::float_engine
