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

Executor::Executor(qgraph::QuantizedGraph graph, Options options) : graph_(std::move(graph)), options_(std::move(options)) {
  separable_ = is_separable(graph_);
  if (separable_) program_for(1, false);
}

std::int64_t Executor::batch_of(std::span<const Tensor> inputs) const {
  if (inputs.size() != graph_.inputs.size())
    throw InputError("engine", fmt::format("{} inputs, expected {}", inputs.size(), graph_.inputs.size()));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& declared = graph_.value(graph_.inputs[i]).shape;
    if (!declared.empty() && declared[0] == kDynamic && inputs[i].rank() == declared.size()) return inputs[i].dim(0);
  }
  return 1;
}

std::shared_ptr<Executor::Planned> Executor::program_for(std::int64_t batch, bool keep_values) const {
  const std::lock_guard lock(mutex_);
  const std::pair key(separable_ && !keep_values ? kAnyBatch : batch, keep_values);
  if (const auto found = programs_.find(key); found != programs_.end()) return found->second;
  if (programs_.size() >= kMostPrograms) programs_.clear();
  Options options = options_;
  options.batch = key.first;
  options.keep_values = keep_values;
  return programs_[key] = std::make_shared<Planned>(graph_, options);
}

std::unique_ptr<Program::Context> Executor::Planned::take() {
  {
    const std::lock_guard lock(mutex);
    if (!idle.empty()) {
      std::unique_ptr<Program::Context> context = std::move(idle.back());
      idle.pop_back();
      return context;
    }
  }
  return std::make_unique<Program::Context>(program);
}

void Executor::Planned::give_back(std::unique_ptr<Program::Context> context) {
  const std::lock_guard lock(mutex);
  idle.push_back(std::move(context));
}

std::vector<Tensor> Executor::run(std::span<const Tensor> inputs, const ir::Visitor& visit) const {
  const std::int64_t samples = batch_of(inputs);
  const std::shared_ptr<Planned> planned = program_for(std::max<std::int64_t>(1, samples), static_cast<bool>(visit));
  const Program& program = planned->program;
  for (std::size_t i = 0; i < inputs.size(); ++i) check_input(program, program.inputs()[i], inputs[i], samples);
  std::vector<std::span<const std::byte>> from;
  for (const Tensor& input : inputs) from.push_back(input.bytes());
  std::vector<Tensor> outputs;
  for (const Program::Port& port : program.outputs()) outputs.emplace_back(port.dtype, shape_of(program, port, samples));
  std::vector<std::span<std::byte>> to;
  for (Tensor& output : outputs) to.push_back(output.mutable_bytes());
  std::unique_ptr<Program::Context> context = planned->take();
  program.run(*context, samples, from, to, visit);
  planned->give_back(std::move(context));
  return outputs;
}

}  // namespace halftone::engine
