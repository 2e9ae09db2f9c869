#include "halftone/engine/program.h"

#include <fmt/format.h>

#include <cstring>

#include "halftone/base/error.h"
#include "halftone/engine/memory_plan.h"
#include "halftone/engine/planner.h"

namespace halftone::engine {
namespace {

void check_bytes(const Program::Port& port, std::size_t got, std::int64_t samples) {
  const std::size_t expected = port.bytes() * static_cast<std::size_t>(samples);
  if (got != expected) throw InputError(port.name, fmt::format("{} bytes, expected {}: {} samples of {}", got, expected, samples, to_string(port.sample)));
}

}  // namespace

Program::Program(const qgraph::QuantizedGraph& graph, const Options& options) { Planner(graph, options, *this).plan(); }

Program::Context::Context(const Program& program, int threads) : threads_(threads) {
  if (threads < 1) throw UsageError("engine", fmt::format("{} threads, expected 1 or more", threads));
  if (threads > 1) pool_ = std::make_unique<Pool>(threads);
  own_.resize(static_cast<std::size_t>(pool_ && program.separable_ && program.batch_ > 1 ? pool_->threads() : 1));
  for (Own& own : own_) {
    own.block.resize(program.arena_bytes_ + kAlignment);
    own.inputs.resize(program.inputs_.size());
    void* start = own.block.data();
    std::size_t space = own.block.size();
    own.arena = static_cast<std::byte*>(std::align(kAlignment, program.arena_bytes_, start, space));
  }
}

void Program::check_spans(std::int64_t samples, std::span<const std::span<const std::byte>> inputs,
                          std::span<const std::span<std::byte>> outputs) const {
  if (samples < 0 || samples > batch_ || (!separable_ && samples != batch_))
    throw InputError("engine", fmt::format("{} samples, expected {}{}", samples, separable_ ? "at most " : "", batch_));
  if (inputs.size() != inputs_.size() || outputs.size() != outputs_.size())
    throw InputError("engine", fmt::format("{} inputs and {} outputs, expected {} and {}", inputs.size(), outputs.size(), inputs_.size(), outputs_.size()));
  const std::int64_t count = separable_ ? samples : 1;
  for (std::size_t i = 0; i < inputs.size(); ++i) check_bytes(inputs_[i], inputs[i].size(), count);
  for (std::size_t i = 0; i < outputs.size(); ++i) check_bytes(outputs_[i], outputs[i].size(), count);
}

void Program::run(Context& context, std::int64_t samples, std::span<const std::span<const std::byte>> inputs,
                  std::span<const std::span<std::byte>> outputs) const {
  run(context, samples, inputs, outputs, ir::Visitor{});
}

void Program::run(Context& context, std::int64_t samples, std::span<const std::span<const std::byte>> inputs,
                  std::span<const std::span<std::byte>> outputs, const ir::Visitor& visit) const {
  check_spans(samples, inputs, outputs);
  const std::int64_t count = separable_ ? samples : 1;
  const std::int64_t each = visit ? 0 : samples_a_thread(context, count);
  if (context.pool_) context.pool_->expect(sample_time_ * static_cast<double>(count));
  if (each > 0) {
    context.pool_->run((count + each - 1) / each, [&](std::int64_t part, int thread) {
      run_unit(context.own_[static_cast<std::size_t>(thread)], nullptr, part * each, std::min(each, count - part * each), inputs, outputs, visit, {});
    });
    return;
  }
  for (std::int64_t first = 0; first < count; first += unit_)
    run_unit(context.own_[0], context.pool_.get(), first, std::min(unit_, count - first), inputs, outputs, visit, {});
}

void Program::run_by_step(Context& context, std::int64_t samples, Inputs inputs, Outputs outputs, const AfterStep& after) const {
  check_spans(samples, inputs, outputs);
  const std::int64_t count = separable_ ? samples : 1;
  for (std::int64_t first = 0; first < count; first += unit_)
    run_unit(context.own_[0], context.pool_.get(), first, std::min(unit_, count - first), inputs, outputs, {}, after);
}

std::int64_t Program::samples_a_thread(const Context& context, std::int64_t samples) const {
  constexpr std::int64_t kPiecesEach = 4;
  const auto threads = static_cast<std::int64_t>(context.own_.size());
  if (threads < 2 || samples < 2 || sample_time_ * static_cast<double>(samples) < 2 * least_part_) return 0;
  const std::int64_t pieces = std::min(samples, kPiecesEach * threads);
  return std::min(unit_, (samples + pieces - 1) / pieces);
}

void Program::run_unit(Context::Own& own, Pool* pool, std::int64_t first, std::int64_t count, Inputs inputs, Outputs outputs,
                       const ir::Visitor& visit, const AfterStep& after) const {
  for (std::size_t i = 0; i < inputs.size(); ++i) own.inputs[i] = inputs[i].data() + static_cast<std::size_t>(first) * inputs_[i].bytes();
  const Memory memory{own.arena, own.inputs, count, visit ? &visit : nullptr, pool, least_part_};
  if (visit)
    for (const SlotPointer& input : input_slots_)
      if (input->input) show(*input, memory, visit);
  for (const Step& step : steps_) {
    step.run(memory);
    if (visit && step.shows)
      for (const SlotPointer& y : step.writes) show(*y, memory, visit);
    if (after) after(step.name);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    for (std::int64_t s = 0; s < count; ++s)
      export_sample(*output_slots_[i], memory, s, output_places_[i], outputs[i].data() + static_cast<std::size_t>(first + s) * outputs_[i].bytes());
}

void Program::show(const Slot& value, const Memory& memory, const ir::Visitor& visit) const {
  const std::vector<std::int64_t> places = value.layout.places();
  Shape shape = value.layout.shape;
  if (!shape.empty()) shape[0] *= memory.samples;
  Tensor tensor(value.layout.dtype, shape);
  const std::size_t bytes = static_cast<std::size_t>(element_count(value.layout.shape)) * size_of(value.layout.dtype);
  for (std::int64_t s = 0; s < memory.samples; ++s)
    export_sample(value, memory, s, places, tensor.mutable_bytes().data() + static_cast<std::size_t>(s) * bytes);
  visit(value.layout.name, tensor);
}

}  // namespace halftone::engine
