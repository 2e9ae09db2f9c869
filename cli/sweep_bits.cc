#include <nlohmann/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "cli/integers.h"
#include "cli/number_list.h"
#include "cli/quantization.h"
#include "cli/sweep_table.h"
#include "halftone/analysis/sweep_cells.h"
#include "halftone/quant/bits.h"
#include "halftone/base/error.h"

namespace halftone::cli {
namespace {

struct Variant {
  std::array<std::string, 3> words;  // bits, observer, granularity
  quant::Recipe recipe;
};

quant::Recipe recipe_of(const std::string& bits, const std::string& observer,
                        const std::string& granularity) {
  quant::Recipe recipe;
  quant::set_bits(recipe, quant::parse_bits("--bits", bits));
  recipe.activations.observer = calibration::parse_observer(observer);
  quant::set_granularity(recipe.weights, "--granularity", granularity);
  quant::check(recipe);
  return recipe;
}

class BitsTable : public SweepTable {
 public:
  explicit BitsTable(const SweepOptions& options)
      : bits_(parse_words("--bits", options.bits)),
        observers_(parse_words("--observer", options.observer)),
        granularities_(parse_words("--granularity", options.granularity)) {
    const bool alone = std::ranges::none_of(bits_, [](const auto& bits) { return quant::parse_bits("--bits", bits).activations.has_value(); });
    if (alone && observers_.size() > 1)
      throw UsageError("--observer", fmt::format("several of activations that stay float, as --bits {} says", options.bits));
    for (const std::string& bits : bits_)
      for (const std::string& observer : observers_)
        for (const std::string& granularity : granularities_)
          variants_.push_back({{bits, observer, granularity}, recipe_of(bits, observer, granularity)});
  }

  std::string title() const override { return "halftone sweep, bits by observer and granularity"; }
  std::vector<std::string> key_columns() const override { return {"bits", "observer", "granularity"}; }
  std::vector<std::string> networks() const override { return {""}; }

  std::vector<SweepKey> keys() const override {
    std::vector<SweepKey> keys;
    for (const Variant& variant : variants_)
      keys.push_back({{variant.words.begin(), variant.words.end()}, {true}});
    return keys;
  }

  void check(const ModelFile& model, const ir::Graph& graph, bool allow_float) const override {
    if (allow_float) return;
    for (const Variant& variant : variants_)
      if (!variant.recipe.weight_only) refuse_islands(quant::preflight(graph, variant.recipe).islands, model.path);
  }

  void open(const SweepTask& task) override { calibration_ = calibration_samples(task); }

  SweepSettings settings(const SweepTask& task) const override {
    return {{"bits", fmt::format("{}", fmt::join(bits_, " "))},
            {"observers", fmt::format("{}", fmt::join(observers_, " "))},
            {"granularities", fmt::format("{}", fmt::join(granularities_, " "))},
            {"calibration", describe(calibration_)},
            {"float nodes", task.options.allow_float ? "allowed" : "refused"}};
  }

  std::vector<analysis::SweepCell> cells(const SweepTask& task,
                                         std::span<const std::size_t> indices) override {
    statistics_ = calibrate(task, calibration_);
    std::vector<analysis::SweepCell> cells;
    for (std::size_t i : indices)
      cells.push_back(analysis::integer_cell(task.graph, statistics_, variants_[i].recipe,
                                             fmt::format("{}", fmt::join(variants_[i].words, ", ")),
                                             [](const qgraph::QuantizedGraph& graph) { return run_integers(graph); }));
    return cells;
  }

  SweepResult result(const SweepTask& task, const SweepFile& file) const override {
    SweepResult result{.rows = nlohmann::json::array()};
    result.grid = {.row_title = "bits", .column_title = "observer, granularity"};
    const std::size_t width = observers_.size() * granularities_.size();
    for (std::size_t i = 0; i < width; ++i)
      result.grid.columns.push_back(fmt::format("{}, {}", variants_[i].words[1], variants_[i].words[2]));
    for (std::size_t r = 0; r < bits_.size(); ++r) {
      std::vector<std::optional<double>>& row = result.grid.percent.emplace_back();
      for (std::size_t c = 0; c < width; ++c) row.push_back(task.percent(*file.counts(r * width + c)[0]));
      const auto best = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
      const Variant& chosen = variants_[r * width + best];
      result.grid.rows.push_back(bits_[r]);
      result.grid.best.emplace_back(best);
      result.rows.push_back({{"bits", bits_[r]},
                             {"best_observer", chosen.words[1]},
                             {"best_granularity", chosen.words[2]},
                             {"accuracy", *row[best]}});
    }
    result.notes = {
        fmt::format("integers, ranges chosen on {} samples of {}", calibration_.size(), calibration_.name)};
    return result;
  }

 private:
  std::vector<std::string> bits_;
  std::vector<std::string> observers_;
  std::vector<std::string> granularities_;
  std::vector<Variant> variants_;  // by cell: bits, in them observers, in them granularities
  calibration::Samples calibration_;
  calibration::StatisticsTable statistics_;
};

}  // namespace

std::unique_ptr<SweepTable> bits_table(const SweepOptions& options) {
  return std::make_unique<BitsTable>(options);
}

}  // namespace halftone::cli
