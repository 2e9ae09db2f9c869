#include "cli/engine_run.h"

#include <random>

#include "halftone/float_engine/executor.h"

namespace halftone::cli {
namespace {

Tensor noise(DType dtype, Shape shape, std::int64_t batch) {
  for (std::int64_t& dim : shape) dim = dim == kDynamic ? batch : dim;
  std::mt19937 random(1);
  Tensor floats(DType::float32, shape);
  for (float& v : floats.mutable_data<float>()) v = static_cast<float>(static_cast<int>(random() % 4001U)) / 1000.0F - 2.0F;
  return floats.cast(dtype);
}

}  // namespace

std::vector<Tensor> noise_for(const ModelFile& model, std::int64_t batch) {
  std::vector<Tensor> inputs;
  for (ir::ValueId id : model.graph.inputs) inputs.push_back(noise(model.graph.value(id).dtype, model.graph.value(id).shape, batch));
  return inputs;
}

EngineRun::EngineRun(const qgraph::QuantizedGraph& integers, std::vector<Tensor> inputs, const EngineSettings& settings)
    : program_(integers, {.batch = settings.batch, .isa = settings.isa, .make_executor = float_engine::make_executor}),
      context_(program_, settings.threads),
      inputs_(std::move(inputs)) {
  const std::int64_t count = program_.is_separable() ? settings.batch : 1;
  for (const Tensor& input : inputs_) from_.push_back(input.bytes());
  for (const engine::Program::Port& port : program_.outputs()) outputs_.emplace_back(port.bytes() * static_cast<std::size_t>(count));
  for (auto& output : outputs_) to_.push_back(output);
}

void EngineRun::operator()() { program_.run(context_, program_.batch(), from_, to_); }

void EngineRun::run_by_step(const engine::AfterStep& after) { program_.run_by_step(context_, program_.batch(), from_, to_, after); }

}  // namespace halftone::cli
