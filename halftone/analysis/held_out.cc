#include "halftone/analysis/held_out.h"

#include <cmath>

#include "halftone/analysis/evaluate.h"

namespace halftone::analysis {

Drop drop_between(const std::vector<std::int32_t>& before, const std::vector<std::int32_t>& after,
                  const std::vector<std::int32_t>& labels) {
  std::int64_t right = 0;
  std::int64_t lost = 0;
  std::int64_t gained = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool now = after[i] == labels[i];
    const bool then = before[i] == labels[i];
    right += now ? 1 : 0;
    lost += then && !now ? 1 : 0;
    gained += now && !then ? 1 : 0;
  }
  const auto n = static_cast<double>(labels.size());
  const auto net = static_cast<double>(lost - gained);
  return {.points = 100.0 * net / n,
          .error = 100.0 * std::sqrt(static_cast<double>(lost + gained) - net * net / n) / n,
          .accuracy = 100.0 * static_cast<double>(right) / n};
}

HeldOut::HeldOut(const BitSearch& search) : search_(search) {
  float_ = predictions(*search.make_executor(search.graph), "float");
}

Drop HeldOut::simulated(const quant::Recipe& recipe, const std::string& title) const {
  return drop_of(predictions(*search_.make_executor(quantized(recipe, title).quantized.graph), title));
}

Drop HeldOut::integers(const ptq::Integers& model) const {
  return drop_of(predictions(*integers_on(search_.make_integers, model.integers), "integers"));
}

ptq::Integers HeldOut::quantized(const quant::Recipe& recipe, const std::string& title) const {
  const quant::RangeTable ranges = quant::choose_ranges(search_.graph, search_.seen, recipe);
  const quant::Parameters parameters =
      ptq::choose_parameters(search_.model, search_.graph, ranges, recipe, search_.runs_for(search_.calibration, title));
  ptq::Integers made = ptq::integers_of(search_.graph, parameters, recipe, search_.name);
  if (search_.check_islands) search_.check_islands(made.islands);
  return made;
}

std::vector<std::int32_t> HeldOut::predictions(const ir::Executor& network, const std::string& title) const {
  std::vector<std::int32_t> result;
  search_.in_batches(search_.held_out, title, [&](const calibration::BatchOptions& batches) {
    result = evaluate(network, search_.held_out, batches, search_.output).predictions;
  });
  return result;
}

Drop HeldOut::drop_of(const std::vector<std::int32_t>& predicted) const {
  return drop_between(float_, predicted, search_.held_out.labels);
}

}  // namespace halftone::analysis
