#include <nlohmann/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "cli/number_list.h"
#include "cli/sweep_table.h"
#include "halftone/analysis/fixed_point_table.h"
#include "halftone/analysis/fixed_weights.h"
#include "halftone/analysis/sweep_cells.h"
#include "halftone/float_engine/executor.h"

namespace halftone::cli {
namespace {

constexpr int kMostFraction = 31;

class FixedPointTable : public SweepTable {
 public:
  explicit FixedPointTable(const SweepOptions& options)
      : word_lengths_(parse_numbers("--word-length", options.word_length, 1, numeric::kMaxBits)),
        overflow_(numeric::overflow_from(options.overflow)),
        accumulator_(options.accumulator) {
    const bool all = options.fraction_length == "all";
    if (!all)
      fraction_lengths_ = parse_numbers("--fraction-length", options.fraction_length, 0, kMostFraction);
    for (int wl : word_lengths_) {
      if (!all)
        for (int fl : fraction_lengths_) formats_.push_back({wl, fl});
      else
        for (int fl = 1; fl <= wl; ++fl) formats_.push_back({wl, fl});
    }
  }

  std::string title() const override { return "halftone sweep, fixed-point weights"; }
  std::vector<std::string> key_columns() const override { return {"word_length", "fraction_length"}; }
  std::vector<std::string> networks() const override { return {"", "lab_"}; }

  std::vector<SweepKey> keys() const override {
    std::vector<SweepKey> keys;
    for (const numeric::FixedPoint& f : formats_)
      keys.push_back({{std::to_string(f.word_length), std::to_string(f.fraction_length)},
                      {true, analysis::is_lab_cell(f)}});
    return keys;
  }

  void check(const ModelFile&, const ir::Graph& graph, bool) const override {
    analysis::check_fixed_point({.graph = graph, .overflow = overflow_, .accumulator = accumulator_}, formats_.front());
  }

  void open(const SweepTask& task) override {
    if (accumulator_) calibration_ = calibration_samples(task);
  }

  SweepSettings settings(const SweepTask&) const override {
    return {{"word lengths", fmt::format("{}", fmt::join(word_lengths_, " "))},
            {"fraction lengths",
             fraction_lengths_.empty() ? "all" : fmt::format("{}", fmt::join(fraction_lengths_, " "))},
            {"overflow", std::string(numeric::name_of(overflow_))},
            {"sums", accumulator_ ? fmt::format("{} bits, inputs of 8 bits", *accumulator_) : "float"},
            {"calibration", accumulator_ ? describe(calibration_) : "none"}};
  }

  std::vector<analysis::SweepCell> cells(const SweepTask& task,
                                         std::span<const std::size_t> indices) override {
    std::vector<numeric::FixedPoint> formats;
    for (std::size_t i : indices) formats.push_back(formats_[i]);
    calibration::StatisticsTable seen;
    if (accumulator_) seen = calibrate(task, calibration_);
    return analysis::fixed_point_cells({.graph = task.graph,
                                        .overflow = overflow_,
                                        .accumulator = accumulator_,
                                        .make_executor = float_engine::make_executor},
                                       seen, formats);
  }

  SweepResult result(const SweepTask& task, const SweepFile& file) const override {
    std::vector<analysis::FixedPointCell> cells;
    for (std::size_t i = 0; i < formats_.size(); ++i)
      cells.push_back({formats_[i], file.counts(i)[0].value(), file.counts(i)[1]});
    const std::vector<analysis::LabRow> lab = analysis::lab_rows(cells);
    SweepResult result{.grid = grid(task, cells), .rows = nlohmann::json::array()};
    if (accumulator_)
      result.notes = {
          fmt::format("sums of {} bits that {}, inputs of 8 bits, their formats chosen on {} samples of {}",
                      *accumulator_, numeric::name_of(overflow_), calibration_.size(), calibration_.name)};
    if (!lab.empty()) {
      result.more_columns = {"as Lab 6"};
      result.notes.push_back(lab_note(task, lab));
    }
    for (int wl : word_lengths_) {
      const auto row = std::ranges::find(lab, wl, &analysis::LabRow::word_length);
      const analysis::LabRow* of_lab = row == lab.end() ? nullptr : &*row;
      if (!lab.empty()) result.more_cells.push_back({lab_text(task, of_lab)});
      result.rows.push_back(row_json(task, *analysis::best_of_row(cells, wl), of_lab));
    }
    return result;
  }

 private:
  report::Grid grid(const SweepTask& task, std::span<const analysis::FixedPointCell> cells) const {
    std::set<int> fractions;
    for (const numeric::FixedPoint& format : formats_) fractions.insert(format.fraction_length);
    report::Grid grid{.row_title = "word length", .column_title = "fraction length"};
    for (int fl : fractions) grid.columns.push_back(std::to_string(fl));
    for (int wl : word_lengths_) {
      grid.rows.push_back(std::to_string(wl));
      grid.percent.emplace_back(fractions.size());
      const auto column = [&](int fl) {
        return static_cast<std::size_t>(std::distance(fractions.begin(), fractions.find(fl)));
      };
      for (const analysis::FixedPointCell& cell : cells)
        if (cell.format.word_length == wl)
          grid.percent.back()[column(cell.format.fraction_length)] = task.percent(cell.correct);
      grid.best.emplace_back(column(analysis::best_of_row(cells, wl)->format.fraction_length));
    }
    return grid;
  }

  static std::string lab_text(const SweepTask& task, const analysis::LabRow* row) {
    if (row == nullptr || !row->correct) return "";
    return fmt::format("{:.2f} (fl {})", task.percent(*row->correct), row->fraction_length);
  }

  static nlohmann::json row_json(const SweepTask& task, const analysis::FixedPointCell& best,
                                 const analysis::LabRow* lab) {
    nlohmann::json row{{"word_length", best.format.word_length},
                       {"best_fraction_length", best.format.fraction_length},
                       {"accuracy", task.percent(best.correct)}};
    if (lab != nullptr && lab->correct) {
      row["lab_fraction_length"] = lab->fraction_length;
      row["lab_accuracy"] = task.percent(*lab->correct);
    }
    return row;
  }

  // Why its table stands still from some row on.
  static std::string lab_note(const SweepTask& task, const std::vector<analysis::LabRow>& lab) {
    std::string note =
        "as Lab 6: weights and biases are the integers themselves, 2^fl times too large, and the best "
        "fraction "
        "length is kept from row to row until another is strictly better";
    const int kept = lab.back().fraction_length;
    const int since = analysis::kept_since(lab);
    const int fits = analysis::word_length_for(task.graph, kept);
    const int still = std::max(since, fits);
    if (kept == 0 || still >= lab.back().word_length) return note;
    return note + fmt::format(
                      "; fl {} holds from word length {} on and no parameter needs more than {} bits "
                      "there, so rows {} to {} are the same integers",
                      kept, since, fits, still, lab.back().word_length);
  }

  std::vector<int> word_lengths_;
  std::vector<int> fraction_lengths_;  // empty: all
  numeric::Overflow overflow_;
  std::optional<int> accumulator_;
  std::vector<numeric::FixedPoint> formats_;  // by cell
  calibration::Samples calibration_;          // for an accumulator alone
};

}  // namespace

std::unique_ptr<SweepTable> fixed_point_table(const SweepOptions& options) {
  return std::make_unique<FixedPointTable>(options);
}

}  // namespace halftone::cli
