#include "halftone/ir/op.h"

#include <type_traits>

namespace halftone::ir {

Op::Op() = default;
Op::Op(const Op& other) = default;
Op::Op(Op&& other) noexcept = default;
Op& Op::operator=(const Op& other) = default;
Op& Op::operator=(Op&& other) noexcept = default;
Op::~Op() = default;

std::string_view name_of(const Op& op) {
  return std::visit([](const auto& o) { return std::decay_t<decltype(o)>::kName; }, op);
}

std::string_view domain_of(const Op& op) {
  return std::visit(
      []<typename T>(const T&) -> std::string_view {
        if constexpr (requires { T::kDomain; }) return T::kDomain;
        return "";
      },
      op);
}

bool is_linear(const Op& op) {
  return std::holds_alternative<Conv>(op) || std::holds_alternative<ConvTranspose>(op) ||
         std::holds_alternative<Gemm>(op) || std::holds_alternative<MatMul>(op);
}

int weight_axis(const Op& op) {
  const auto* gemm = std::get_if<Gemm>(&op);
  const bool second = std::holds_alternative<MatMul>(op) || std::holds_alternative<ConvTranspose>(op) ||
                      (gemm != nullptr && !gemm->trans_b);
  return second ? 1 : 0;
}

Arity arity_of(const Op& op) {
  return std::visit([](const auto& o) { return arity(o); }, op);
}

bool is_through_float32(const Op& op) {
  return std::visit(
      []<typename T>(const T&) {
        return requires { T::kThroughFloat32; };
      },
      op);
}

namespace {

// The type to go through float32 for, or float32 when nothing is to be converted.
template <typename Input>
DType wide_type(const Op& op, std::span<const Input* const> inputs) {
  if (!is_through_float32(op) || inputs.empty()) return DType::float32;
  if constexpr (std::is_same_v<Input, Tensor>)
    return inputs[0]->dtype();
  else
    return inputs[0]->dtype;
}

}  // namespace

std::vector<TensorType> infer_op(const Op& op, InputTypes inputs) {
  std::vector<TensorType> types = std::visit([&](const auto& o) { return infer(o, inputs); }, op);
  const DType dtype = wide_type(op, inputs);
  for (TensorType& type : types)
    if (dtype != DType::float32 && type.dtype == DType::float32) type.dtype = dtype;
  return types;
}

std::vector<Tensor> evaluate_op(const Op& op, InputTensors inputs) {
  const auto run = [&](InputTensors tensors) {
    return std::visit([&](const auto& o) { return evaluate(o, tensors); }, op);
  };
  const DType dtype = wide_type(op, inputs);
  if (dtype == DType::float32) return run(inputs);
  std::vector<Tensor> wide;
  for (const Tensor* input : inputs)
    wide.push_back(input == nullptr ? Tensor() : input->cast(DType::float32));
  std::vector<const Tensor*> pointers;
  for (std::size_t i = 0; i < wide.size(); ++i) pointers.push_back(inputs[i] == nullptr ? nullptr : &wide[i]);
  std::vector<Tensor> results = run(pointers);
  for (Tensor& result : results)
    if (result.dtype() == DType::float32) result = result.cast(dtype);
  return results;
}

}  // namespace halftone::ir
