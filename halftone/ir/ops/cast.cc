#include "halftone/ir/ops/cast.h"

#include <algorithm>

#include "halftone/ir/ops/unary.h"

namespace halftone::ir {
namespace {

// The low bits of an integer of a packed type.
template <typename T>
T low_bits(T value, DType dtype) {
  if constexpr (std::is_integral_v<T> && sizeof(T) == 1 && !std::is_same_v<T, bool>) {
    const int drop = 8 - bits_of(dtype);
    return static_cast<T>(static_cast<T>(static_cast<unsigned>(value) << drop) >> drop);
  }
  return value;
}

template <typename To, typename From>
To convert(From value, DType to) {
  const auto wide = static_cast<Compute<From>>(value);
  if constexpr (std::is_same_v<To, bool>)
    return wide != 0;
  else if constexpr (std::is_integral_v<To> && !std::is_integral_v<From>) {
    const double whole = std::trunc(static_cast<double>(wide));
    return bits_of(to) < 8 ? low_bits(static_cast<To>(rounded_to<std::int64_t>(whole)), to)
                           : rounded_to<To>(whole);
  } else if constexpr (std::is_integral_v<To>)
    return low_bits(static_cast<To>(wide), to);
  else
    return static_cast<To>(static_cast<Compute<To>>(wide));
}

}  // namespace

std::vector<TensorType> infer(const Cast& op, InputTypes inputs) { return {{op.to, inputs[0]->shape}}; }

std::vector<Tensor> evaluate(const Cast& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  if (op.to == x.dtype()) return {x};
  Tensor y(op.to, x.shape());
  dispatch_dtype(x.dtype(), [&](auto from) {
    dispatch_dtype(op.to, [&](auto to) {
      std::ranges::transform(x.data<decltype(from)>(), y.mutable_data<decltype(to)>().begin(),
                             [&](auto v) { return convert<decltype(to)>(v, op.to); });
    });
  });
  return {y};
}

}  // namespace halftone::ir
