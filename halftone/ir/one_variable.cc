#include "halftone/ir/one_variable.h"

#include <algorithm>
#include <cmath>

namespace halftone::ir {
namespace {

double of_two(const Pow&, double a, double b) { return std::pow(a, b); }
double of_two(const Min& op, double a, double b) { return accumulate(op, a, b); }
double of_two(const Max& op, double a, double b) { return accumulate(op, a, b); }
template <Binary Op>
double of_two(const Op& op, double a, double b) {
  return combine(op, a, b);
}

template <typename T>
concept OfTwo = requires(const T& op) {
  of_two(op, 0.0, 0.0);
};

// Whether a constant of this shape has one element for all of x, or one for each index of its dimension 1.
bool is_by_channel(const Shape& constant, const Shape& x) {
  if (constant.size() > x.size()) return false;
  const std::size_t lead = x.size() - constant.size();
  for (std::size_t d = 0; d < constant.size(); ++d)
    if (constant[d] != 1 && (d + lead != 1 || constant[d] != x[1])) return false;
  return true;
}

}  // namespace

bool takes_constant(const Op& op) {
  return std::visit([]<typename T>(const T&) { return OfTwo<T>; }, op);
}

std::optional<OneVariable> one_variable(const Op& op, std::span<const Tensor* const> inputs, const Shape& x) {
  if (!takes_constant(op) || inputs.size() != 2) return std::nullopt;
  if ((inputs[0] == nullptr) == (inputs[1] == nullptr)) return std::nullopt;
  const std::size_t variable = inputs[0] == nullptr ? 0 : 1;
  if (std::holds_alternative<PRelu>(op) && variable == 1) return std::nullopt;
  const Tensor& constant = *inputs[1 - variable];
  if (constant.dtype() != DType::float32 || constant.size() == 0 || !is_by_channel(constant.shape(), x))
    return std::nullopt;
  const auto values = constant.data<float>();
  if (std::ranges::any_of(values, [](float v) { return std::isnan(v); })) return std::nullopt;
  return OneVariable{variable, {values.begin(), values.end()}};
}

double value_with(const Op& op, std::size_t variable, double x, double constant) {
  return std::visit(
      [&]<typename T>(const T& o) -> double {
        if constexpr (OfTwo<T>) {
          return variable == 0 ? of_two(o, x, constant) : of_two(o, constant, x);
        } else {
          throw UsageError(T::kName, "is no function of two variables");
        }
      },
      op);
}

}  // namespace halftone::ir
