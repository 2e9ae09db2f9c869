// The networks in the cells of a table: in integers, and with weights of fixed point.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "halftone/analysis/make_integers.h"
#include "halftone/analysis/sweep.h"
#include "halftone/calibration/calibrate.h"
#include "halftone/numeric/fixed_point.h"
#include "halftone/quant/recipe.h"

namespace halftone::analysis {

// The float network `graph` (after passes::simplify) in integers, its ranges as the recipe chooses them from what was seen,
// its weights rounded to nearest. Graph and statistics outlive the cell, which throws InputError naming `name`.
SweepCell integer_cell(const ir::Graph& graph, const calibration::StatisticsTable& seen, const quant::Recipe& recipe,
                       const std::string& name, const MakeIntegers& make = {});

// All that cells of fixed point are made from.
struct FixedPointSweep {
  const ir::Graph& graph;  // float, after passes::simplify; outlives the cells
  numeric::Overflow overflow = numeric::Overflow::saturate;
  std::optional<int> accumulator;      // bits of sums, of inputs of 8 bits (narrow_sums.h); otherwise sums are float
  calibration::MakeExecutor make_executor = {};
};

// Throws for a network that has no cell of this format, whatever samples show.
void check_fixed_point(const FixedPointSweep& sweep, const numeric::FixedPoint& format);

// For each format the network with weights q·2^−fl and, where is_lab_cell says so, that of the integers q themselves. The
// inputs' formats come from what was `seen` of them, for an accumulator alone.
std::vector<SweepCell> fixed_point_cells(const FixedPointSweep& sweep, const calibration::StatisticsTable& seen,
                                         std::span<const numeric::FixedPoint> formats);

}  // namespace halftone::analysis
