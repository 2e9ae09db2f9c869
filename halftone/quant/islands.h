// The nodes of a network that stay float, with the reason: known before calibration.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "halftone/base/error.h"
#include "halftone/ir/graph.h"
#include "halftone/qgraph/quantized_graph.h"
#include "halftone/quant/plan.h"
#include "halftone/quant/recipe.h"

namespace halftone::quant {

struct Island {
  std::string name;
  std::string op;
  qgraph::FloatReason reason;
  std::int64_t multiply_adds = 0;  // of one sample
  bool ends_network = false;       // see float_end.h: no island between integers
};

// The islands of `lowered`, which came of `graph`: before Quantize nodes went into it, by this plan, or after.
std::vector<Island> islands_of(const ir::Graph& graph, const qgraph::QuantizedGraph& lowered, const Plan& plan);
std::vector<Island> islands_of(const ir::Graph& graph, const qgraph::QuantizedGraph& lowered);

struct Preflight {
  std::vector<Island> islands;
  std::optional<InputError> refusal;  // of quantize or lower; the islands are then quantize's alone
};

// A float graph after passes::simplify, quantized as if every value ranged from -1 to 1.
ir::Graph trial(const ir::Graph& graph, const Recipe& recipe);

// The trial's.
Preflight preflight(const ir::Graph& graph, const Recipe& recipe);

}  // namespace halftone::quant
