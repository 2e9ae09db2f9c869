#include "halftone/qat/optimizer.h"

#include <fmt/format.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <torch/utils.h>

#include <type_traits>

namespace halftone::qat {
namespace {

using torch::optim::OptimizerParamGroup;

const char* name_of(Role role) { return role == Role::weights ? "weights" : role == Role::vector ? "vectors" : "steps"; }

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

std::string key_of(const torch::Tensor& tensor) { return c10::guts::to_string(tensor.unsafeGetTensorImpl()); }

}  // namespace

std::vector<Optimizer::Group> Optimizer::joined(const std::vector<NamedTensor>& trained) {
  const torch::NoGradGuard guard;
  std::vector<Group> groups;
  for (Role role : {Role::weights, Role::vector, Role::step}) {
    std::vector<torch::Tensor> flat;
    for (const NamedTensor& each : trained)
      if (each.role == role) flat.push_back(each.tensor.detach().reshape({-1}));
    if (flat.empty()) continue;
    Group group{role, at::cat(flat)};
    group.all.mutable_grad() = at::zeros_like(group.all);
    std::int64_t at = 0;
    for (const NamedTensor& each : trained) {
      if (each.role != role) continue;
      torch::Tensor tensor = each.tensor;
      const auto part = [&](const torch::Tensor& all) { return all.narrow(0, at, tensor.numel()).view(tensor.sizes()); };
      tensor.set_data(part(group.all));
      tensor.mutable_grad() = part(group.all.grad());
      at += tensor.numel();
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

Optimizer::Optimizer(const std::vector<NamedTensor>& trained, const TrainOptions& options, double decay) : kind_(options.optimizer), groups_(joined(trained)) {
  constexpr double kAnyRate = 1e-3;  // every step says its own
  const auto make = [&]<typename Kind, typename Settings>(std::type_identity<Kind>, const Settings& settings) {
    std::vector<OptimizerParamGroup> all;
    for (const Group& group : groups_) {
      auto own = std::make_unique<Settings>(settings);
      own->weight_decay(group.role == Role::weights ? decay : 0.0);
      all.emplace_back(std::vector{group.all}, std::move(own));
    }
    optimizer_ = std::make_unique<Kind>(std::move(all), settings);
  };
  // State as the first step would make it, so that a checkpoint has a place to be read into.
  const auto remember = [&](const Group& group, const char* name) {
    memory_.push_back({fmt::format("{}/{}", name_of(group.role), name), at::zeros_like(group.all), Role::memory});
    return memory_.back().tensor;
  };
  const auto remember_averages = [&]<typename State>(std::type_identity<State>) {
    for (const Group& group : groups_) {
      auto state = std::make_unique<State>();
      state->step(0);
      state->exp_avg(remember(group, "average"));
      state->exp_avg_sq(remember(group, "square"));
      optimizer_->state()[key_of(group.all)] = std::move(state);
    }
  };
  switch (kind_) {
    case OptimizerKind::adam:
      make(std::type_identity<torch::optim::Adam>{}, torch::optim::AdamOptions(kAnyRate));
      remember_averages(std::type_identity<torch::optim::AdamParamState>{});
      break;
    case OptimizerKind::adamw:
      make(std::type_identity<torch::optim::AdamW>{}, torch::optim::AdamWOptions(kAnyRate));
      remember_averages(std::type_identity<torch::optim::AdamWParamState>{});
      break;
    case OptimizerKind::sgd:
      make(std::type_identity<torch::optim::SGD>{}, torch::optim::SGDOptions(kAnyRate).momentum(options.momentum));
      if (options.momentum == 0) break;
      for (const Group& group : groups_) {
        auto state = std::make_unique<torch::optim::SGDParamState>();
        state->momentum_buffer(remember(group, "momentum"));
        optimizer_->state()[key_of(group.all)] = std::move(state);
      }
      break;
  }
}

Optimizer::~Optimizer() = default;

void Optimizer::zero_gradients() {
  const torch::NoGradGuard guard;
  for (Group& group : groups_) group.all.mutable_grad().zero_();
}

void Optimizer::step(double rate, double step_rate) {
  for (std::size_t g = 0; g < groups_.size(); ++g) set_rate(kind_, optimizer_->param_groups()[g], groups_[g].role == Role::step ? step_rate : rate);
  optimizer_->step();
}

std::vector<torch::Tensor> Optimizer::gradients() const {
  std::vector<torch::Tensor> all;
  for (const Group& group : groups_) all.push_back(group.all.grad());
  return all;
}

void Optimizer::set_count(std::int64_t steps) {
  for (const auto& [key, state] : optimizer_->state()) {
    if (kind_ == OptimizerKind::adam) static_cast<torch::optim::AdamParamState&>(*state).step(steps);
    if (kind_ == OptimizerKind::adamw) static_cast<torch::optim::AdamWParamState&>(*state).step(steps);
  }
}

}  // namespace halftone::qat
