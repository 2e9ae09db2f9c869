#include "halftone/qat/quantizers/quantizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/qat/quantizers/activation_quantizer.h"
#include "halftone/qat/quantizers/weight_quantizer.h"

namespace halftone::qat {
namespace {

constexpr Quantizer kAll[] = {
    {"lsq", "steps are learnt", learnt_steps, weights_at_learnt_steps, RecipeNeed::free_steps},
    {"lsq+", "steps and zero points are learnt", learnt_offsets, weights_at_learnt_steps, RecipeNeed::free_offsets},
    {"tqt", "steps are learnt powers of two", learnt_powers_of_two, weights_at_learnt_powers_of_two, RecipeNeed::powers_of_two},
    {"pact", "the clipping of activations is learnt, that of weights follows from their statistics (SAWB)", learnt_clipping, weights_by_statistics, RecipeNeed::free_steps},
    {"minmax", "steps follow from the extremes of weights and of batches, averaged", moving_extremes, weights_by_largest, RecipeNeed::free_steps},
    {"dorefa", "steps stay, weights pass through tanh", straight_through, weights_through_tanh},
    {"ste", "steps stay", straight_through, weights_at_fixed_steps},
    {"ste-pass", "steps stay, gradients pass beyond ranges too", straight_through_everywhere, weights_at_fixed_steps},
    {"lab", "steps from the largest weight and the first batch alone", first_batch, weights_by_first_run, RecipeNeed::free_steps},
};

}  // namespace

std::span<const Quantizer> quantizers() { return kAll; }

const Quantizer& quantizer(std::string_view name) {
  const auto found = std::ranges::find(kAll, name, &Quantizer::name);
  if (found != std::end(kAll)) return *found;
  std::vector<std::string_view> names;
  for (const Quantizer& each : kAll) names.push_back(each.name);
  throw UsageError("quantizer", fmt::format("got '{}', expected one of {}", name, fmt::join(names, ", ")));
}

}  // namespace halftone::qat
