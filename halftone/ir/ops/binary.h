// Functions of two variables, applied element by element with NumPy broadcasting: y = f(a, b).
// Floats are computed in double and rounded to the operands' type, integers in themselves.
// Source: the ONNX operators of the same names.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <type_traits>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// clang-format off
struct Add   { static constexpr std::string_view kName = "Add";   bool operator==(const Add&) const = default; };
struct Sub   { static constexpr std::string_view kName = "Sub";   bool operator==(const Sub&) const = default; };
struct Mul   { static constexpr std::string_view kName = "Mul";   bool operator==(const Mul&) const = default; };
struct Div   { static constexpr std::string_view kName = "Div";   bool operator==(const Div&) const = default; };
struct PRelu { static constexpr std::string_view kName = "PRelu"; bool operator==(const PRelu&) const = default; };
// clang-format on

template <typename T>
T combine(const Add&, T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));  // wraps
  else
    return a + b;
}
template <typename T>
T combine(const Sub&, T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));  // wraps
  else
    return a - b;
}
template <typename T>
T combine(const Mul&, T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));  // wraps
  else
    return a * b;
}
// Integers round towards zero, as in C. Throws InputError for an integer divided by zero.
template <typename T>
T combine(const Div&, T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) throw InputError("Div", "an integer divided by zero");
    if constexpr (std::is_signed_v<T>)
      if (b == -1)
        return static_cast<T>(std::make_unsigned_t<T>{0} - static_cast<std::make_unsigned_t<T>>(a));
  }
  return static_cast<T>(a / b);
}
// x for x >= 0, slope·x below.
template <typename T>
T combine(const PRelu&, T x, T slope) {
  return x < 0 ? combine(Mul{}, slope, x) : x;
}

// An op is binary when it has such a function; shape rule and float meaning follow from it.
template <typename Op>
concept Binary = requires(const Op& op) {
  { combine(op, 0.0, 0.0) } -> std::same_as<double>;
};

template <Binary Op>
constexpr Arity arity(const Op&) {
  return {2, 2};
}

template <Binary Op>
std::vector<TensorType> infer(const Op&, InputTypes inputs) {
  if (inputs[0]->dtype != inputs[1]->dtype) throw InputError(Op::kName, "operands of different types");
  if (inputs[0]->dtype == DType::boolean) throw UnsupportedError(Op::kName, "operands of type bool");
  const Shape y = broadcast_shape(inputs[0]->shape, inputs[1]->shape);
  if (std::is_same_v<Op, PRelu> && y != inputs[0]->shape)
    throw InputError(Op::kName, "a slope of more elements than x");
  return {{inputs[0]->dtype, y}};
}

template <Binary Op>
std::vector<Tensor> evaluate(const Op& op, InputTensors inputs) {
  const Tensor& a = *inputs[0];
  const Tensor& b = *inputs[1];
  Tensor y(a.dtype(), broadcast_shape(a.shape(), b.shape()));
  const auto index_a = broadcast_index(a.shape(), y.shape());
  const auto index_b = broadcast_index(b.shape(), y.shape());
  dispatch_dtype(a.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const auto in_a = a.data<T>();
    const auto in_b = b.data<T>();
    auto out = y.mutable_data<T>();
    for (std::size_t i = 0; i < out.size(); ++i) {
      const T left = in_a[static_cast<std::size_t>(index_a[i])];
      const T right = in_b[static_cast<std::size_t>(index_b[i])];
      if constexpr (std::is_same_v<T, bool>)
        throw UnsupportedError(Op::kName, "operands of type bool");
      else if constexpr (std::is_integral_v<T>)
        out[i] = combine(op, left, right);
      else
        out[i] = static_cast<T>(
            static_cast<Compute<T>>(combine(op, static_cast<double>(left), static_cast<double>(right))));
    }
  });
  return {y};
}

}  // namespace halftone::ir
