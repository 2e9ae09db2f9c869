#include "halftone/ir/op.h"

#include <type_traits>

namespace halftone::ir {

std::string_view name_of(const Op& op) {
  return std::visit([](const auto& o) { return std::decay_t<decltype(o)>::kName; }, op);
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
