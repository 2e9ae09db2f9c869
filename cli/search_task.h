// The task of `halftone search`, and how its result is shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/data_options.h"
#include "cli/quantization.h"
#include "cli/recipe_options.h"
#include "cli/warnings.h"
#include "halftone/analysis/bit_search.h"
#include "halftone/calibration/statistics.h"

namespace halftone::cli {

struct SearchOptions {
  std::string model;
  std::string output;
  DataOptions data;
  RecipeOptions recipe;
  FileSettings file;
  std::string budget = "bytes";
  std::optional<std::string> weights;      // otherwise 2-6,8 where the budget tells them apart
  std::optional<std::string> activations;  // otherwise 4 and 8, or 8 and 16, where the budget tells them apart
  std::optional<double> max_drop;  // percentage points
  std::string limit;
  std::int64_t harm_samples = 512;
  std::int64_t samples = 4096;  // held out, for accuracy
  std::string scores;           // the output whose largest number is the class
  std::string html;
  bool json = false;
};

struct SearchTask {
  const SearchOptions& options;
  ModelFile model;
  quant::Recipe recipe;  // that all start from
  ir::Graph graph;
  std::size_t output = 0;  // among the model's
  std::optional<analysis::Budget> budget = analysis::Budget::bytes;  // none: time on this machine
  std::vector<analysis::MixedGroup> groups;
  analysis::CostOf cost;
  double fixed_cost = 0.0;  // of all that no choice changes
  double start_cost = 0.0;
  std::optional<double> limit;
  // Three parts of the training samples that share no row.
  calibration::Samples calibration;
  calibration::Samples harm;
  calibration::Samples held_out;
  calibration::StatisticsTable seen;  // on those to calibrate on
  Warnings warnings;
  std::uint64_t bytes = 0;  // written
  double measured = 0.0;    // milliseconds of the chosen model, where time is the budget
};

// "12.3 kB", "4.56 Gbitops", "1.23 uJ", "0.456 ms".
std::string cost_text(const SearchTask& task, double cost);

// Measures the network as all start, and what each choice of bits adds.
void measure_times(SearchTask& task);
// Measures the chosen model.
void measure_chosen(SearchTask& task, const qgraph::QuantizedGraph& model);
// Choices that the engine cannot tell from each other.
Warnings time_warnings(const SearchTask& task);

// The page asked for is added to `files`.
void add_page(const SearchTask& task, const analysis::SearchResult& result, NewFiles& files);
void present(const SearchTask& task, const analysis::SearchResult& result);

}  // namespace halftone::cli
