// A kind of table that `halftone sweep` makes: which cells there are, the networks in them, and what they
// say.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/calibration.h"
#include "cli/data_options.h"
#include "cli/model_file.h"
#include "cli/shape_option.h"
#include "cli/sweep_file.h"
#include "cli/warnings.h"
#include "halftone/calibration/statistics.h"
#include "halftone/report/heat_map.h"

namespace halftone::cli {


struct SweepOptions {
  std::string model;
  ShapeOption shapes;
  DataOptions data;
  std::string output;  // the CSV
  std::string json;
  std::string html;
  std::string scores;  // the output whose largest number is the class
  // Fixed point.
  std::string word_length;
  std::string fraction_length = "all";
  std::string overflow = "saturate";
  std::optional<int> accumulator;  // bits; otherwise sums are float
  // Calibrated integers.
  std::string bits;
  std::string observer = "minmax";
  std::string granularity = "channel";
  bool allow_float = false;
  // The samples that ranges are chosen on, of integers and of a narrow accumulator's inputs.
  std::string calibration_data;
  std::optional<std::int64_t> calibration_samples;
};

// The network and samples that the cells are made from.
struct SweepTask {
  const SweepOptions& options;
  const ModelFile& model;
  ir::Graph graph;  // after passes::simplify
  calibration::Samples samples;
  Warnings warnings;

  double percent(std::int64_t correct) const {
    return 100.0 * static_cast<double>(correct) / static_cast<double>(samples.size());
  }
};

// A table that is complete.
struct SweepResult {
  report::Grid grid;
  std::vector<std::string> more_columns;             // behind the grid's
  std::vector<std::vector<std::string>> more_cells;  // by row
  std::vector<std::string> notes;
  nlohmann::json rows;
};

class SweepTable {
 public:
  virtual ~SweepTable() = default;
  virtual std::string title() const = 0;
  virtual std::vector<std::string> key_columns() const = 0;
  virtual std::vector<std::string> networks() const = 0;  // SweepLayout::networks
  virtual std::vector<SweepKey> keys() const = 0;
  // Refuses a model that no cell can be made of, before the samples are read.
  virtual void check(const ModelFile& model, const ir::Graph& graph, bool allow_float) const = 0;
  // Reads what the cells need beside the task.
  virtual void open(const SweepTask& task) = 0;
  // After open.
  virtual SweepSettings settings(const SweepTask& task) const = 0;
  // The cells of these indices.
  virtual std::vector<analysis::SweepCell> cells(const SweepTask& task,
                                                 std::span<const std::size_t> indices) = 0;
  virtual SweepResult result(const SweepTask& task, const SweepFile& file) const = 0;
};

// Throw UsageError for options that make no sense.
std::unique_ptr<SweepTable> fixed_point_table(const SweepOptions& options);
std::unique_ptr<SweepTable> bits_table(const SweepOptions& options);

// The samples' name with the part that was taken, "mnist:train"; an array file without a part in its spec may
// serve either and keeps its name.
void name_part(calibration::Samples& samples, const DataOptions& options);

// Names, number and contents of samples, as one line.
std::string describe(const calibration::Samples& samples);

// The training part of --data, unless the user says what else.
calibration::Samples calibration_samples(const SweepTask& task);

// Statistics of the float network's values on them.
calibration::StatisticsTable calibrate(const SweepTask& task, const calibration::Samples& samples);

// Prints the table and writes the files asked for.
void present(const SweepTask& task, const SweepTable& table, const SweepFile& file, double float_percent);

}  // namespace halftone::cli
