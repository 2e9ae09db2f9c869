#include "halftone/engine/executor.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"
#include "halftone/engine/separable.h"

namespace halftone::engine {
namespace {

constexpr std::size_t kMostPrograms = 4;
constexpr std::int64_t kAnyBatch = std::int64_t{1} << 40;

using Inputs = std::vector<std::span<const std::byte>>;
using Outputs = std::vector<std::span<std::byte>>;

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

// The bytes of samples [first, last).
template <typename Byte>
std::span<Byte> rows(const Program& program, std::span<Byte> all, const Program::Port& port, std::int64_t first, std::int64_t last) {
  if (!program.is_separable()) return all;
  return all.subspan(static_cast<std::size_t>(first) * port.bytes(), static_cast<std::size_t>(last - first) * port.bytes());
}

}  // namespace

Executor::Executor(qgraph::QuantizedGraph graph, ExecutorOptions options) : graph_(std::move(graph)), options_(std::move(options)) {
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

std::shared_ptr<const Program> Executor::program_for(std::int64_t batch, bool keep_values) const {
  const std::lock_guard lock(mutex_);
  const std::pair key(separable_ && !keep_values ? kAnyBatch : batch, keep_values);
  if (const auto found = programs_.find(key); found != programs_.end()) return found->second;
  if (programs_.size() >= kMostPrograms) programs_.clear();
  const Options options{.batch = key.first, .isa = options_.isa, .keep_values = keep_values, .make_executor = options_.make_executor};
  return programs_[key] = std::make_shared<const Program>(graph_, options);
}

std::vector<Tensor> Executor::run(std::span<const Tensor> inputs, const ir::Visitor& visit) const {
  const std::int64_t samples = batch_of(inputs);
  const std::shared_ptr<const Program> program = program_for(std::max<std::int64_t>(1, samples), static_cast<bool>(visit));
  for (std::size_t i = 0; i < inputs.size(); ++i) check_input(*program, program->inputs()[i], inputs[i], samples);
  std::vector<Tensor> outputs;
  for (const Program::Port& port : program->outputs()) outputs.emplace_back(port.dtype, shape_of(*program, port, samples));
  std::vector<std::span<std::byte>> to;
  for (Tensor& output : outputs) to.push_back(output.mutable_bytes());
  const std::int64_t parts = visit || !program->is_separable() ? 1 : std::clamp<std::int64_t>(samples, 1, options_.threads);
  parallel_for(parts, static_cast<int>(parts), [&](std::int64_t part) {
    const std::int64_t first = part * samples / parts;
    const std::int64_t last = (part + 1) * samples / parts;
    Inputs own_inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) own_inputs.push_back(rows(*program, inputs[i].bytes(), program->inputs()[i], first, last));
    Outputs own_outputs;
    for (std::size_t i = 0; i < to.size(); ++i) own_outputs.push_back(rows(*program, to[i], program->outputs()[i], first, last));
    Program::Context context(*program);
    program->run(context, program->is_separable() ? last - first : samples, own_inputs, own_outputs, visit);
  });
  return outputs;
}

}  // namespace halftone::engine
