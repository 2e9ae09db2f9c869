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
  // Memory among `trained` is left alone. Tensors of a role become views of one, as do their gradients: a step costs a few operations
  // however many there are. `decay` is what a step takes of weights, times its rate.
  Optimizer(const std::vector<NamedTensor>& trained, const TrainOptions& options, double decay);
  ~Optimizer();

  void zero_gradients();
  void step(double rate, double step_rate);
  // All gradients there are, a tensor a role.
  std::vector<torch::Tensor> gradients() const;
  // Averages of gradients; what they are beside the number of steps.
  const std::vector<NamedTensor>& memory() const { return memory_; }
  void set_count(std::int64_t steps);

 private:
  struct Group {
    Role role;
    torch::Tensor all;  // and its gradient
  };
  static std::vector<Group> joined(const std::vector<NamedTensor>& trained);

  OptimizerKind kind_;
  std::vector<Group> groups_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  std::vector<NamedTensor> memory_;
};

}  // namespace halftone::qat
