// Many networks on the same samples, a table's cells one after the other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "halftone/calibration/batches.h"
#include "halftone/ir/executor.h"

namespace halftone::analysis {

// Makes a network when its turn has come; empty: this cell has none there.
using MakeNetwork = std::function<std::unique_ptr<ir::Executor>()>;

// One cell: networks that are measured side by side, as many in every cell.
using SweepCell = std::vector<MakeNetwork>;

// The right answers of each of a cell's networks.
using CellCounts = std::vector<std::optional<std::int64_t>>;

struct SweepOptions {
  calibration::BatchOptions batches;    // its threads are shared among cells; progress is that of all cells
  std::size_t output = 0;  // whose largest number is the class
  // A cell is known; one call at a time, in any order. What it throws ends the sweep.
  std::function<void(std::size_t cell, const CellCounts& counts)> done;
};

// Evaluates every network of every cell (evaluate.h). The counts do not depend on threads or batch size.
// Throws what evaluate and the cells throw.
void sweep(std::span<const SweepCell> cells, const calibration::Samples& samples, const SweepOptions& options);

}  // namespace halftone::analysis
