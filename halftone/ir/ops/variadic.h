// One value from any number of operands, element by element with NumPy broadcasting. Floats are computed in
// double and rounded to the operands' type, integers in themselves; NaN wins over every number.
// Source: ONNX operators Min, Max, Sum, Mean.
#pragma once

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// clang-format off
struct Min  { static constexpr std::string_view kName = "Min";  bool operator==(const Min&) const = default; };
struct Max  { static constexpr std::string_view kName = "Max";  bool operator==(const Max&) const = default; };
struct Sum  { static constexpr std::string_view kName = "Sum";  bool operator==(const Sum&) const = default; };
struct Mean { static constexpr std::string_view kName = "Mean"; bool operator==(const Mean&) const = default; };

// y with one operand more.
template <typename T> T accumulate(const Min&, T y, T x)  { return x < y || x != x ? x : y; }
template <typename T> T accumulate(const Max&, T y, T x)  { return x > y || x != x ? x : y; }
template <typename T> T accumulate(const Sum&, T y, T x)  { return static_cast<T>(y + x); }
template <typename T> T accumulate(const Mean&, T y, T x) { return static_cast<T>(y + x); }
// clang-format on

template <typename Op>
concept Variadic = requires(const Op& op) {
  { accumulate(op, 0.0, 0.0) } -> std::same_as<double>;
};

template <Variadic Op>
constexpr Arity arity(const Op&) {
  return {1, kAnyNumber};
}

template <Variadic Op>
std::vector<TensorType> infer(const Op&, InputTypes inputs) {
  constexpr bool kOrders = std::is_same_v<Op, Min> || std::is_same_v<Op, Max>;
  Shape y = inputs[0]->shape;
  for (const TensorType* input : inputs) {
    if (input->dtype != inputs[0]->dtype) throw InputError(Op::kName, "operands of different types");
    if (!is_float(input->dtype) && (!kOrders || input->dtype == DType::boolean))
      throw UnsupportedError(Op::kName, "operands that are not numbers of its types");
    y = broadcast_shape(y, input->shape);
  }
  return {{inputs[0]->dtype, y}};
}

template <Variadic Op>
std::vector<Tensor> evaluate(const Op& op, InputTensors inputs) {
  Shape shape = inputs[0]->shape();
  for (const Tensor* input : inputs) shape = broadcast_shape(shape, input->shape());
  Tensor y(inputs[0]->dtype(), shape);
  dispatch_dtype(y.dtype(), [&](auto tag) {
    using T = decltype(tag);
    using Wide = std::conditional_t<std::is_integral_v<T>, T, double>;
    std::vector<Wide> result;
    for (const Tensor* input : inputs) {
      const auto index = broadcast_index(input->shape(), shape);
      const auto x = input->data<T>();
      const bool first = result.empty();
      if (first) result.resize(index.size());
      for (std::size_t i = 0; i < index.size(); ++i) {
        const auto value = static_cast<Wide>(x[static_cast<std::size_t>(index[i])]);
        result[i] = first ? value : accumulate(op, static_cast<Wide>(result[i]), value);
      }
    }
    auto out = y.mutable_data<T>();
    for (std::size_t i = 0; i < out.size(); ++i) {
      Wide value = result[i];
      if constexpr (std::is_same_v<Op, Mean>)
        value = static_cast<Wide>(value / static_cast<Wide>(inputs.size()));
      out[i] = static_cast<T>(static_cast<Compute<T>>(value));
    }
  });
  return {y};
}

}  // namespace halftone::ir
