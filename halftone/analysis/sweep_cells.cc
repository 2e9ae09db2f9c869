#include "halftone/analysis/sweep_cells.h"

#include "halftone/analysis/fixed_point_table.h"
#include "halftone/analysis/fixed_weights.h"
#include "halftone/analysis/narrow_sums.h"
#include "halftone/base/error.h"
#include "halftone/lower/lower.h"
#include "halftone/quant/quantize.h"

namespace halftone::analysis {
namespace {

using MakeOfFormat = std::function<std::unique_ptr<ir::Executor>(const numeric::FixedPoint&)>;

MakeOfFormat scaled_weights(const FixedPointSweep& sweep) {
  return [sweep](const numeric::FixedPoint& format) {
    return sweep.make_executor(with_fixed_weights(sweep.graph, format, sweep.overflow));
  };
}

MakeOfFormat narrow_sums(const FixedPointSweep& sweep, const calibration::StatisticsTable& seen) {
  const auto inputs = std::make_shared<const InputFormats>(input_formats(sweep.graph, seen));
  const std::shared_ptr<const ir::Executor> network = sweep.make_executor(sweep.graph);
  return [sweep, inputs, network](const numeric::FixedPoint& format) {
    return std::make_unique<NarrowNetwork>(
        sweep.graph, NarrowSums{.weights = format, .overflow = sweep.overflow, .bits = *sweep.accumulator}, *inputs, network);
  };
}

}  // namespace

SweepCell integer_cell(const ir::Graph& graph, const calibration::StatisticsTable& seen, const quant::Recipe& recipe,
                       const std::string& name, const MakeIntegers& make) {
  return {[&graph, &seen, recipe, name, make] {
    try {
      const quant::RangeTable ranges = quant::choose_ranges(graph, seen, recipe);
      return integers_on(make, lower::lower(quant::quantize(graph, ranges, recipe).graph));
    } catch (const InputError& error) {
      throw InputError(name, error.what());
    }
  }};
}

void check_fixed_point(const FixedPointSweep& sweep, const numeric::FixedPoint& format) {
  if (sweep.accumulator) check_narrow_layers(sweep.graph);
  word_length_for(sweep.graph, 0);
  with_fixed_weights(sweep.graph, format, sweep.overflow);
  with_unscaled_parameters(sweep.graph, format);
}

std::vector<SweepCell> fixed_point_cells(const FixedPointSweep& sweep, const calibration::StatisticsTable& seen,
                                         std::span<const numeric::FixedPoint> formats) {
  const MakeOfFormat make = sweep.accumulator ? narrow_sums(sweep, seen) : scaled_weights(sweep);
  std::vector<SweepCell> cells;
  for (const numeric::FixedPoint& format : formats) {
    SweepCell& cell = cells.emplace_back(SweepCell{[make, format] { return make(format); }, {}});
    if (is_lab_cell(format))
      cell.back() = [sweep, format] { return sweep.make_executor(with_unscaled_parameters(sweep.graph, format)); };
  }
  return cells;
}

}  // namespace halftone::analysis
