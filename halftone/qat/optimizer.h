// Steps of an optimizer from torch on named tensors, its memory laid open for checkpoints.
#pragma once

#include <memory>
#include <vector>

#include "halftone/qat/quantizers/trained.h"
#include "halftone/qat/train_options.h"

namespace torch::optim {
class Optimizer;
}

namespace halftone::qat {

class Optimizer {
 public:
  // Of `trained`, those that are trained. `decay` is what a step takes of weights, times its rate.
  Optimizer(const std::vector<NamedTensor>& trained, const TrainOptions& options, double decay);
  ~Optimizer();

  void zero_gradients();
  void step(double rate, double step_rate);
  // Averages of gradients; what they are beside the number of steps.
  const std::vector<NamedTensor>& memory() const { return memory_; }
  void set_count(std::int64_t steps);

 private:
  std::vector<NamedTensor> trained_;
  OptimizerKind kind_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  std::vector<bool> is_step_;  // by group
  std::vector<NamedTensor> memory_;
};

}  // namespace halftone::qat
