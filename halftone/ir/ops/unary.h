// Functions of one variable, applied to every element: y = f(x), f in double, y rounded to x's type.
// Source: the ONNX operators of the same names.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include "halftone/ir/tensor_type.h"
#include "halftone/numeric/rounding.h"

namespace halftone::ir {

// clang-format off
struct Relu       { static constexpr std::string_view kName = "Relu"; bool operator==(const Relu&) const = default; };
struct Tanh       { static constexpr std::string_view kName = "Tanh"; bool operator==(const Tanh&) const = default; };
struct Sigmoid    { static constexpr std::string_view kName = "Sigmoid"; bool operator==(const Sigmoid&) const = default; };
struct Neg        { static constexpr std::string_view kName = "Neg"; bool operator==(const Neg&) const = default; };
struct Abs        { static constexpr std::string_view kName = "Abs"; bool operator==(const Abs&) const = default; };
struct Sqrt       { static constexpr std::string_view kName = "Sqrt"; bool operator==(const Sqrt&) const = default; };
struct Exp        { static constexpr std::string_view kName = "Exp"; bool operator==(const Exp&) const = default; };
struct Log        { static constexpr std::string_view kName = "Log"; bool operator==(const Log&) const = default; };
struct Erf        { static constexpr std::string_view kName = "Erf"; bool operator==(const Erf&) const = default; };
struct Reciprocal { static constexpr std::string_view kName = "Reciprocal"; bool operator==(const Reciprocal&) const = default; };
struct Round      { static constexpr std::string_view kName = "Round"; bool operator==(const Round&) const = default; };
struct HardSwish  { static constexpr std::string_view kName = "HardSwish"; bool operator==(const HardSwish&) const = default; };
struct LeakyRelu  { static constexpr std::string_view kName = "LeakyRelu";  float alpha = 0.01F; bool operator==(const LeakyRelu&) const = default; };
struct Elu        { static constexpr std::string_view kName = "Elu";        float alpha = 1.0F; bool operator==(const Elu&) const = default; };
struct Swish      { static constexpr std::string_view kName = "Swish";      float alpha = 1.0F; bool operator==(const Swish&) const = default; };
struct Selu {
  static constexpr std::string_view kName = "Selu";
  float alpha = 1.67326319217681884765625F;
  float gamma = 1.05070102214813232421875F;
  bool operator==(const Selu&) const = default;
};
struct HardSigmoid {
  static constexpr std::string_view kName = "HardSigmoid";
  float alpha = 0.2F;
  float beta = 0.5F;
  bool operator==(const HardSigmoid&) const = default;
};
struct Gelu {
  static constexpr std::string_view kName = "Gelu";
  bool tanh_approximation = false;
  bool operator==(const Gelu&) const = default;
};
struct Clip {
  static constexpr std::string_view kName = "Clip";
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();
  bool operator==(const Clip&) const = default;
};

inline double scalar(const Relu&, double x)       { return std::isnan(x) ? x : std::max(x, 0.0); }
inline double scalar(const Tanh&, double x)       { return std::tanh(x); }
inline double scalar(const Sigmoid&, double x)    { return 1.0 / (1.0 + std::exp(-x)); }
inline double scalar(const Neg&, double x)        { return -x; }
inline double scalar(const Abs&, double x)        { return std::fabs(x); }
inline double scalar(const Sqrt&, double x)       { return std::sqrt(x); }
inline double scalar(const Exp&, double x)        { return std::exp(x); }
inline double scalar(const Log&, double x)        { return std::log(x); }
inline double scalar(const Erf&, double x)        { return std::erf(x); }
inline double scalar(const Reciprocal&, double x) { return 1.0 / x; }
inline double scalar(const Round&, double x)      { return numeric::round_real(x, numeric::Rounding::half_even); }
inline double scalar(const HardSwish&, double x)  { return x * std::clamp(x / 6.0 + 0.5, 0.0, 1.0); }
inline double scalar(const LeakyRelu& op, double x) { return x < 0 ? op.alpha * x : x; }
inline double scalar(const Elu& op, double x)     { return x < 0 ? op.alpha * std::expm1(x) : x; }
inline double scalar(const Swish& op, double x)   { return x / (1.0 + std::exp(-op.alpha * x)); }
inline double scalar(const Selu& op, double x)    { return op.gamma * (x > 0 ? x : op.alpha * std::expm1(x)); }
inline double scalar(const HardSigmoid& op, double x) { return std::clamp(op.alpha * x + double{op.beta}, 0.0, 1.0); }
// clang-format on
inline double scalar(const Gelu& op, double x) {
  if (!op.tanh_approximation) return 0.5 * x * (1.0 + std::erf(x * 0.70710678118654752440));
  return 0.5 * x * (1.0 + std::tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}
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

// y as T: integers saturate, and NaN becomes 0.
template <typename T>
T rounded_to(double y) {
  if constexpr (std::is_integral_v<T>) {
    if (std::isnan(y)) return T{};
    constexpr auto kLowest = std::numeric_limits<T>::lowest();
    constexpr auto kHighest = std::numeric_limits<T>::max();
    if (y <= static_cast<double>(kLowest)) return kLowest;
    return y >= static_cast<double>(kHighest) ? kHighest : static_cast<T>(y);
  } else {
    return static_cast<T>(static_cast<Compute<T>>(y));
  }
}

template <Unary Op>
std::vector<Tensor> evaluate(const Op& op, InputTensors inputs) {
  Tensor y(inputs[0]->dtype(), inputs[0]->shape());
  dispatch_dtype(y.dtype(), [&](auto tag) {
    using T = decltype(tag);
    std::ranges::transform(inputs[0]->data<T>(), y.mutable_data<T>().begin(), [&](T x) {
      return rounded_to<T>(scalar(op, static_cast<double>(static_cast<Compute<T>>(x))));
    });
  });
  return {y};
}

}  // namespace halftone::ir
