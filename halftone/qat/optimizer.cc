#include "halftone/qat/optimizer.h"

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <torch/utils.h>

namespace halftone::qat {
namespace {

using torch::optim::OptimizerParamGroup;

template <typename Settings>
std::vector<OptimizerParamGroup> groups_of(const std::vector<NamedTensor>& trained, const Settings& settings, double decay, std::vector<bool>& is_step) {
  std::vector<OptimizerParamGroup> groups;
  for (Role role : {Role::weights, Role::vector, Role::step}) {
    std::vector<torch::Tensor> tensors;
    for (const NamedTensor& each : trained)
      if (each.role == role) tensors.push_back(each.tensor);
    if (tensors.empty()) continue;
    auto own = std::make_unique<Settings>(settings);
    own->weight_decay(role == Role::weights ? decay : 0.0);
    groups.emplace_back(std::move(tensors), std::move(own));
    is_step.push_back(role == Role::step);
  }
  return groups;
}

// State as the first step would make it, so that a checkpoint has a place to be read into.
template <typename State>
void make_adam_memory(torch::optim::Optimizer& optimizer, const std::vector<NamedTensor>& trained, std::vector<NamedTensor>& memory) {
  for (const NamedTensor& each : trained) {
    if (each.role == Role::memory) continue;
    auto state = std::make_unique<State>();
    state->step(0);
    state->exp_avg(at::zeros_like(each.tensor.detach(), at::MemoryFormat::Preserve));
    state->exp_avg_sq(at::zeros_like(each.tensor.detach(), at::MemoryFormat::Preserve));
    memory.push_back({each.name + "/average", state->exp_avg(), Role::memory});
    memory.push_back({each.name + "/square", state->exp_avg_sq(), Role::memory});
    optimizer.state()[c10::guts::to_string(each.tensor.unsafeGetTensorImpl())] = std::move(state);
  }
}

void make_sgd_memory(torch::optim::Optimizer& optimizer, const std::vector<NamedTensor>& trained, std::vector<NamedTensor>& memory) {
  for (const NamedTensor& each : trained) {
    if (each.role == Role::memory) continue;
    auto state = std::make_unique<torch::optim::SGDParamState>();
    state->momentum_buffer(at::zeros_like(each.tensor.detach(), at::MemoryFormat::Preserve));
    memory.push_back({each.name + "/momentum", state->momentum_buffer(), Role::memory});
    optimizer.state()[c10::guts::to_string(each.tensor.unsafeGetTensorImpl())] = std::move(state);
  }
}

void set_rate(OptimizerKind kind, OptimizerParamGroup& group, double rate) {
  switch (kind) {
    case OptimizerKind::adam:
      static_cast<torch::optim::AdamOptions&>(group.options()).lr(rate);
      break;
    case OptimizerKind::adamw:
      static_cast<torch::optim::AdamWOptions&>(group.options()).lr(rate);
      break;
    case OptimizerKind::sgd:
      static_cast<torch::optim::SGDOptions&>(group.options()).lr(rate);
      break;
  }
}

}  // namespace

Optimizer::Optimizer(const std::vector<NamedTensor>& trained, const TrainOptions& options, double decay) : trained_(trained), kind_(options.optimizer) {
  constexpr double kAnyRate = 1e-3;  // every step says its own
  switch (kind_) {
    case OptimizerKind::adam: {
      const torch::optim::AdamOptions settings(kAnyRate);
      optimizer_ = std::make_unique<torch::optim::Adam>(groups_of(trained, settings, decay, is_step_), settings);
      make_adam_memory<torch::optim::AdamParamState>(*optimizer_, trained, memory_);
      break;
    }
    case OptimizerKind::adamw: {
      const torch::optim::AdamWOptions settings(kAnyRate);
      optimizer_ = std::make_unique<torch::optim::AdamW>(groups_of(trained, settings, decay, is_step_), settings);
      make_adam_memory<torch::optim::AdamWParamState>(*optimizer_, trained, memory_);
      break;
    }
    case OptimizerKind::sgd: {
      torch::optim::SGDOptions settings(kAnyRate);
      settings.momentum(options.momentum);
      optimizer_ = std::make_unique<torch::optim::SGD>(groups_of(trained, settings, decay, is_step_), settings);
      if (options.momentum > 0) make_sgd_memory(*optimizer_, trained, memory_);
      break;
    }
  }
}

Optimizer::~Optimizer() = default;

void Optimizer::zero_gradients() { optimizer_->zero_grad(); }

void Optimizer::step(double rate, double step_rate) {
  for (std::size_t g = 0; g < is_step_.size(); ++g) set_rate(kind_, optimizer_->param_groups()[g], is_step_[g] ? step_rate : rate);
  optimizer_->step();
}

void Optimizer::set_count(std::int64_t steps) {
  for (const auto& [key, state] : optimizer_->state()) {
    if (kind_ == OptimizerKind::adam) static_cast<torch::optim::AdamParamState&>(*state).step(steps);
    if (kind_ == OptimizerKind::adamw) static_cast<torch::optim::AdamWParamState&>(*state).step(steps);
  }
}

}  // namespace halftone::qat
