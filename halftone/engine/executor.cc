#include "halftone/engine/executor.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/engine/separable.h"

namespace halftone::engine {
namespace {

constexpr std::size_t kMostPrograms = 4;
constexpr std::int64_t kAnyBatch = std::int64_t{1} << 40;

Shape shape_of(const Program& program, const Program::Port& port, std::int64_t samples) {
  Shape shape = port.sample;
  if (program.is_separable()) shape.at(0) *= samples;
  return shape;
}

void check_input(const Program& program, const Program::Port& port, const Tensor& input, std::int64_t samples) {
  const Shape expected = shape_of(program, port, samples);
  if (input.dtype() != port.dtype || input.shape() != expected)
    throw InputError(port.name, fmt::format("{} {}, expected {} {}", name_of(input.dtype()), to_string(input.shape()), name_of(port.dtype), to_string(expected)));
}

}  // namespace

Executor::Executor(qgraph::QuantizedGraph graph, Options options, int threads)
    : plans_(std::make_shared<Plans>()), threads_(threads) {
  plans_->separable = is_separable(graph);
  plans_->graph = std::move(graph);
  plans_->options = std::move(options);
  if (plans_->separable) plans_->program_for(1, false);
}

std::unique_ptr<Executor> Executor::with_threads(int threads) const { return std::unique_ptr<Executor>(new Executor(plans_, threads)); }

std::int64_t Executor::batch_of(std::span<const Tensor> inputs) const {
  if (inputs.size() != plans_->graph.inputs.size())
    throw InputError("engine", fmt::format("{} inputs, expected {}", inputs.size(), plans_->graph.inputs.size()));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& declared = plans_->graph.value(plans_->graph.inputs[i]).shape;
    if (!declared.empty() && declared[0] == kDynamic && inputs[i].rank() == declared.size()) return inputs[i].dim(0);
  }
  return 1;
}

std::shared_ptr<Executor::Planned> Executor::Plans::program_for(std::int64_t batch, bool keep_values) {
  const std::lock_guard lock(mutex);
  const std::pair key(separable && !keep_values ? kAnyBatch : batch, keep_values);
  if (const auto found = programs.find(key); found != programs.end()) return found->second;
  if (programs.size() >= kMostPrograms) programs.clear();
  Options own = options;
  own.batch = key.first;
  own.keep_values = keep_values;
  return programs[key] = std::make_shared<Planned>(graph, own);
}

std::unique_ptr<Program::Context> Executor::Planned::take(int threads) {
  {
    const std::lock_guard lock(mutex);
    const auto found = std::ranges::find_if(idle, [&](const auto& context) { return context->threads() == threads; });
    if (found != idle.end()) {
      std::unique_ptr<Program::Context> context = std::move(*found);
      idle.erase(found);
      return context;
    }
  }
  return std::make_unique<Program::Context>(program, threads);
}

void Executor::Planned::give_back(std::unique_ptr<Program::Context> context) {
  const std::lock_guard lock(mutex);
  idle.push_back(std::move(context));
}

std::vector<Tensor> Executor::run(std::span<const Tensor> inputs, const ir::Visitor& visit) const {
  const std::int64_t samples = batch_of(inputs);
  const std::shared_ptr<Planned> planned = plans_->program_for(std::max<std::int64_t>(1, samples), static_cast<bool>(visit));
  const Program& program = planned->program;
  for (std::size_t i = 0; i < inputs.size(); ++i) check_input(program, program.inputs()[i], inputs[i], samples);
  std::vector<std::span<const std::byte>> from;
  for (const Tensor& input : inputs) from.push_back(input.bytes());
  std::vector<Tensor> outputs;
  for (const Program::Port& port : program.outputs()) outputs.emplace_back(port.dtype, shape_of(program, port, samples));
  std::vector<std::span<std::byte>> to;
  for (Tensor& output : outputs) to.push_back(output.mutable_bytes());
  std::unique_ptr<Program::Context> context = planned->take(threads_);
  program.run(*context, samples, from, to, visit);
  planned->give_back(std::move(context));
  return outputs;
}

}  // namespace halftone::engine
