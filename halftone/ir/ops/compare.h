// Comparisons and the choice that follows from them, with NumPy broadcasting.
// Source: ONNX operators Less, LessOrEqual, Greater, GreaterOrEqual, Equal, Where.
#pragma once

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// clang-format off
struct Less           { static constexpr std::string_view kName = "Less";           bool operator==(const Less&) const = default; };
struct LessOrEqual    { static constexpr std::string_view kName = "LessOrEqual";    bool operator==(const LessOrEqual&) const = default; };
struct Greater        { static constexpr std::string_view kName = "Greater";        bool operator==(const Greater&) const = default; };
struct GreaterOrEqual { static constexpr std::string_view kName = "GreaterOrEqual"; bool operator==(const GreaterOrEqual&) const = default; };
struct Equal          { static constexpr std::string_view kName = "Equal";          bool operator==(const Equal&) const = default; };

template <typename T> bool holds(const Less&, T a, T b)           { return a < b; }
template <typename T> bool holds(const LessOrEqual&, T a, T b)    { return a <= b; }
template <typename T> bool holds(const Greater&, T a, T b)        { return a > b; }
template <typename T> bool holds(const GreaterOrEqual&, T a, T b) { return a >= b; }
template <typename T> bool holds(const Equal&, T a, T b)          { return a == b; }
// clang-format on

template <typename Op>
concept Comparison = requires(const Op& op) {
  { holds(op, 0.0, 0.0) } -> std::same_as<bool>;
};

template <Comparison Op>
constexpr Arity arity(const Op&) {
  return {2, 2};
}

template <Comparison Op>
std::vector<TensorType> infer(const Op&, InputTypes inputs) {
  if (inputs[0]->dtype != inputs[1]->dtype) throw InputError(Op::kName, "operands of different types");
  return {{DType::boolean, broadcast_shape(inputs[0]->shape, inputs[1]->shape)}};
}

template <Comparison Op>
std::vector<Tensor> evaluate(const Op& op, InputTensors inputs) {
  const Tensor& a = *inputs[0];
  const Tensor& b = *inputs[1];
  Tensor y(DType::boolean, broadcast_shape(a.shape(), b.shape()));
  const auto index_a = broadcast_index(a.shape(), y.shape());
  const auto index_b = broadcast_index(b.shape(), y.shape());
  auto out = y.mutable_data<bool>();
  dispatch_dtype(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const auto in_a = a.data<T>();
    const auto in_b = b.data<T>();
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = holds(op, static_cast<Compute<T>>(in_a[static_cast<std::size_t>(index_a[i])]),
                     static_cast<Compute<T>>(in_b[static_cast<std::size_t>(index_b[i])]));
  });
  return {y};
}

// y = condition ? a : b, element by element. Inputs: condition (bool), a, b (of one type).
struct Where {
  static constexpr std::string_view kName = "Where";
  bool operator==(const Where&) const = default;
};
constexpr Arity arity(const Where&) { return {3, 3}; }
std::vector<TensorType> infer(const Where& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Where& op, InputTensors inputs);

}  // namespace halftone::ir
