// Scales, fraction lengths and multipliers of layers in integers, as JSON: for `inspect`, and beside a testbench.
#pragma once

#include <nlohmann/json.hpp>

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::cli {

// fl where s = 2^-fl, otherwise null.
nlohmann::json fraction_length(float scale);

// Scale, zero point, bits, sign and fraction length of a value in integers.
nlohmann::json grid_json(const numeric::Grid& grid);

// Lists with an entry for each scale of a layer's weights: by channel, group or tensor.
nlohmann::json weight_scales_json(const qgraph::Linear& linear);

// qgraph::Multipliers with its names; null for a node without any.
nlohmann::json multipliers_json(const qgraph::QuantizedGraph& graph, const qgraph::Node& node);

}  // namespace halftone::cli
