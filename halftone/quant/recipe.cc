#include "halftone/quant/recipe.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone::quant {

void check(const Recipe& recipe) {
  numeric::check(recipe.weights);
  numeric::check(recipe.activations);
  const int a = recipe.activations.bits;
  if (recipe.weights.bits < 2 || recipe.weights.bits > 8 || (a != 2 && a != 4 && a != 8))
    throw UsageError("recipe", fmt::format("bits, got w{}a{}, expected w2 to w8 and a2, a4 or a8",
                                           recipe.weights.bits, a));
  const int mantissa = recipe.arithmetic.mantissa_bits;
  if (recipe.arithmetic.mode == numeric::Arithmetic::fixed && mantissa != 8 && mantissa != 16 &&
      mantissa != 32)
    throw UsageError("recipe", fmt::format("mantissa of {} bits, expected 8, 16 or 32", mantissa));
  if (recipe.granularity == numeric::Granularity::group)
    throw UsageError("recipe", "granularity group, expected tensor or channel");
  if (recipe.arithmetic.mode == numeric::Arithmetic::shift && !recipe.power_of_two)
    throw UsageError("recipe", "arithmetic shift without power-of-two scales");
}

std::string describe(const Recipe& recipe) {
  const auto scheme = [](numeric::Scheme s) {
    return s == numeric::Scheme::symmetric ? "symmetric" : "asymmetric";
  };
  return fmt::format("w{}a{}, weights {} by {}{}, activations {} by {}, {}{}", recipe.weights.bits,
                     recipe.activations.bits, scheme(recipe.weight_scheme),
                     recipe.granularity == numeric::Granularity::tensor ? "tensor" : "channel",
                     recipe.weight_range == WeightRange::mean_squared_error ? " clipped by mse" : "",
                     scheme(recipe.activation_scheme), describe(recipe.observer),
                     recipe.power_of_two ? "power-of-two scales, " : "", qgraph::describe(recipe.arithmetic));
}

}  // namespace halftone::quant
