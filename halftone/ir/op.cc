#include "halftone/ir/op.h"

#include <type_traits>

namespace halftone::ir {

std::string_view name_of(const Op& op) {
  return std::visit([](const auto& o) { return std::decay_t<decltype(o)>::kName; }, op);
}

bool is_linear(const Op& op) {
  return std::holds_alternative<Conv>(op) || std::holds_alternative<Gemm>(op) ||
         std::holds_alternative<MatMul>(op);
}

bool has_channels_last(const Op& op) {
  const auto* gemm = std::get_if<Gemm>(&op);
  return std::holds_alternative<MatMul>(op) || (gemm != nullptr && !gemm->trans_b);
}

Arity arity_of(const Op& op) {
  return std::visit([](const auto& o) { return arity(o); }, op);
}

std::vector<TensorType> infer_op(const Op& op, InputTypes inputs) {
  return std::visit([&](const auto& o) { return infer(o, inputs); }, op);
}

std::vector<Tensor> evaluate_op(const Op& op, InputTensors inputs) {
  return std::visit([&](const auto& o) { return evaluate(o, inputs); }, op);
}

}  // namespace halftone::ir
