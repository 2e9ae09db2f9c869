// A row of `halftone bench`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/layer_times.h"
#include "cli/load_cost.h"
#include "halftone/analysis/timing.h"

namespace halftone::cli {

inline constexpr const char* kOurs = "halftone";

struct BenchRow {
  std::string network;
  std::int64_t batch = 1;
  int threads = 1;
  std::string peer;  // kOurs, "float", "onednn" or "onnxruntime"
  analysis::Timing timing;
  double ratio = 0.0;                 // its median over ours for the same network; 0 without one
  std::string isa = {};               // of ours
  std::optional<LoadCost> load = {};  // likewise
  std::vector<LayerTime> layers = {};
};

nlohmann::json to_json(const BenchRow& row);
std::string text_of(const std::vector<BenchRow>& rows);
// The table of a row with layers.
std::string layers_text(const BenchRow& row);

}  // namespace halftone::cli
