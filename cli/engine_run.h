// The engine on a network, to be timed: from floats to floats in memory that stays.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "cli/model_file.h"
#include "halftone/engine/program.h"

namespace halftone::cli {

struct EngineSettings {
  std::int64_t batch = 1;
  kernels::Isa isa = kernels::best_isa();
  int threads = 1;
};

// Inputs of a batch: floats from −2 to 2. Values decide no time here.
std::vector<Tensor> noise_for(const ModelFile& model, std::int64_t batch);

class EngineRun {
 public:
  // A quantized model on noise.
  EngineRun(const ModelFile& model, const EngineSettings& settings) : EngineRun(*model.integers, noise_for(model, settings.batch), settings) {}
  // On these inputs of settings.batch samples. Islands run at speed.
  EngineRun(const qgraph::QuantizedGraph& integers, std::vector<Tensor> inputs, const EngineSettings& settings);

  void operator()();
  std::size_t steps() const { return program_.steps(); }
  void run_by_step(const engine::AfterStep& after);

 private:
  engine::Program program_;
  engine::Program::Context context_;
  std::vector<Tensor> inputs_;
  std::vector<std::vector<std::byte>> outputs_;
  std::vector<std::span<const std::byte>> from_;
  std::vector<std::span<std::byte>> to_;
};

}  // namespace halftone::cli
