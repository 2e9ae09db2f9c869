// Functions of one variable, applied to every element: y = f(x), f in double, y rounded to float32.
// Source: ONNX operators Relu, Clip, Tanh, Sigmoid.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct Relu {
  static constexpr std::string_view kName = "Relu";
  bool operator==(const Relu&) const = default;
};
struct Tanh {
  static constexpr std::string_view kName = "Tanh";
  bool operator==(const Tanh&) const = default;
};
struct Sigmoid {
  static constexpr std::string_view kName = "Sigmoid";
  bool operator==(const Sigmoid&) const = default;
};
struct Clip {
  static constexpr std::string_view kName = "Clip";
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();
  bool operator==(const Clip&) const = default;
};

inline double scalar(const Relu&, double x) { return std::isnan(x) ? x : std::max(x, 0.0); }
inline double scalar(const Tanh&, double x) { return std::tanh(x); }
inline double scalar(const Sigmoid&, double x) { return 1.0 / (1.0 + std::exp(-x)); }
inline double scalar(const Clip& op, double x) {
  return std::isnan(x) ? x : std::min(std::max<double>(x, op.lo), double{op.hi});
}

// An op is unary when it has such a function; shape rule, float meaning and integer table follow from it.
template <typename Op>
concept Unary = requires(const Op& op) {
  { scalar(op, 0.0) } -> std::same_as<double>;
};

template <Unary Op>
constexpr Arity arity(const Op&) {
  return {1, 1};
}

template <Unary Op>
std::vector<TensorType> infer(const Op&, InputTypes inputs) {
  return {{inputs[0]->dtype, inputs[0]->shape}};
}

template <Unary Op>
std::vector<Tensor> evaluate(const Op& op, InputTensors inputs) {
  Tensor y(DType::float32, inputs[0]->shape());
  std::ranges::transform(inputs[0]->data<float>(), y.mutable_data<float>().begin(),
                         [&](float x) { return static_cast<float>(scalar(op, x)); });
  return {y};
}

}  // namespace halftone::ir
