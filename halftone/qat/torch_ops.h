// Every differentiable op of the graph as torch computes it, found by overload. The meaning is ir's:
// asymmetric padding, ceil_mode and averages over clipped windows come out as ir::Interpreter has them.
#pragma once

#include <torch/types.h>

#include <concepts>
#include <span>

#include "halftone/ir/op.h"

namespace halftone::qat {

// By position; undefined where an optional one is absent.
using TorchInputs = std::span<const torch::Tensor>;

torch::Tensor torch_form(const ir::Add& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::AveragePool& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::BatchNormalization& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::Clip& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::Conv& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::Flatten& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::Gemm& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::GlobalAveragePool& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::Identity& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::MatMul& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::MaxPool& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::Relu& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::Reshape& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::Sigmoid& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::Softmax& op, TorchInputs inputs);
torch::Tensor torch_form(const ir::Tanh& op, TorchInputs inputs);

template <typename Op>
concept HasTorchForm = requires(const Op& op, TorchInputs inputs) {
  { torch_form(op, inputs) } -> std::same_as<torch::Tensor>;
};

}  // namespace halftone::qat
