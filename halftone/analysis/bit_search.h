// Bits for every layer under a budget: choices are measured one by one, the assignments that are best by these measurements
// are the front, and points of the front are then measured themselves.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "halftone/analysis/make_integers.h"
#include "halftone/analysis/mixed_precision.h"
#include "halftone/calibration/batches.h"
#include "halftone/ptq/ptq.h"

namespace halftone::analysis {

struct BitSearch {
  const ir::Graph& model;                   // float, as loaded
  const ir::Graph& graph;                   // what ptq::float_network and move_by_samples made of it
  const quant::Recipe& recipe;              // that all start from
  const std::vector<MixedGroup>& groups;    // of the graph
  const calibration::StatisticsTable& seen;  // of its values on the samples to calibrate on
  // Three sets of samples that share no row.
  const calibration::Samples& calibration;
  const calibration::Samples& harm;
  const calibration::Samples& held_out;
  CostOf cost = counted(Budget::bytes);
  double fixed_cost = 0.0;                        // of all that no choice changes
  std::optional<double> max_drop = std::nullopt;  // chooses the cheapest that loses at most so many percentage points
  std::optional<double> limit = std::nullopt;     // chooses the best that costs at most this
  std::size_t output = 0;                         // whose largest number is the class
  std::string name = "model";                     // in messages
  calibration::MakeExecutor make_executor = {};
  // Calls `work` with how the samples are cut into batches; `title` says what for.
  std::function<void(const calibration::Samples& samples, const std::string& title,
                     const std::function<void(const calibration::BatchOptions&)>& work)>
      in_batches = {};
  MakeIntegers make_integers = {};  // for the model that is chosen
  // An empty title leaves it to the stage.
  std::function<ptq::RunsFor(const calibration::Samples& samples, const std::string& title)> runs_for = {};
  // Throws for those that are not wanted. May be empty.
  std::function<void(const std::vector<quant::Island>&)> check_islands = {};
};

// Accuracy lost on the held-out samples against the float network, in percentage points, with its standard
// error: of d the samples that one of the two alone has right, √(d − (lost)²/n)/n.
struct Drop {
  double points = 0.0;
  double error = 0.0;
  double accuracy = 0.0;
};

struct SearchPoint {
  Assigned assigned;
  std::optional<Drop> drop;  // of the simulation, where it was measured
};

struct SearchResult {
  double float_accuracy = 0.0;
  double start_harm = 0.0;
  Drop start;
  std::vector<SearchPoint> front;
  std::optional<std::size_t> chosen;  // of the front
  Drop chosen_drop;                   // in integers
  quant::Recipe recipe;               // of the chosen one
  std::optional<ptq::Integers> model;
};

// Measures all choices and the front, and chooses where a drop or a limit says how. The same for any number of threads.
SearchResult search_bits(const BitSearch& search);

}  // namespace halftone::analysis
