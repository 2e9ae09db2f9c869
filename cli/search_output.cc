#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/outcome.h"
#include "cli/search_task.h"
#include "cli/warnings.h"
#include "halftone/base/new_files.h"
#include "halftone/report/html.h"
#include "halftone/report/line_plot.h"
#include "halftone/report/table.h"

namespace halftone::cli {

using analysis::Drop;
using analysis::SearchPoint;
using analysis::SearchResult;

namespace {

std::string drop_text(const std::optional<Drop>& drop) {
  return drop ? fmt::format("{:.2f} ± {:.2f}", drop->points, drop->error) : "";
}

nlohmann::json drop_json(const Drop& drop) {
  return {{"drop", drop.points}, {"standard_error", drop.error}, {"accuracy", drop.accuracy}};
}

// A layer as an assignment has it.
struct LayerRow {
  std::string name;
  int weight_bits = 0;
  int input_bits = 0;
  double cost = 0.0;
};

std::vector<LayerRow> layers_of(const SearchTask& task, const analysis::Assigned& assigned) {
  std::vector<LayerRow> rows;
  for (std::size_t g = 0; g < task.groups.size(); ++g) {
    const analysis::MixedGroup& group = task.groups[g];
    const int input_bits = group.bits[assigned.groups[g].input];
    for (std::size_t l = 0; l < group.layers.size(); ++l) {
      const analysis::MixedLayer& layer = group.layers[l];
      const int weight_bits = layer.bits[assigned.groups[g].weights[l]];
      rows.push_back({layer.name, weight_bits, input_bits, task.cost(group, layer, weight_bits, input_bits)});
    }
  }
  return rows;
}

std::string formats_of(const SearchTask& task, const analysis::Assigned& assigned) {
  std::string text;
  for (const LayerRow& row : layers_of(task, assigned))
    text += fmt::format("{}w{}a{}", text.empty() ? "" : " ", row.weight_bits, row.input_bits);
  return text;
}

std::string bits_of_start(const SearchTask& task) {
  return fmt::format("w{}a{}", task.recipe.weights.format.bits, task.recipe.activations.format.bits);
}

std::vector<std::string> front_columns(const SearchTask& task) {
  return {"cost", fmt::format("of {}", bits_of_start(task)), "predicted harm", "drop in points", "accuracy"};
}

std::vector<std::string> row_of(const SearchTask& task, const char* mark, double cost, double harm,
                                const std::optional<Drop>& drop) {
  return {fmt::format("{}{}", mark, cost_text(task, cost)),
          fmt::format("{:.1f} %", 100.0 * cost / task.start_cost), fmt::format("{:.3g}", harm),
          drop_text(drop), drop ? fmt::format("{:.2f} %", drop->accuracy) : ""};
}

// Points that were measured, and the one where all start.
std::vector<std::vector<std::string>> front_rows(const SearchTask& task, const SearchResult& result) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < result.front.size(); ++i) {
    const SearchPoint& point = result.front[i];
    if (point.drop)
      rows.push_back(
          row_of(task, result.chosen == i ? "* " : "", point.assigned.cost, point.assigned.harm, point.drop));
  }
  rows.push_back(
      row_of(task, (bits_of_start(task) + " ").c_str(), task.start_cost, result.start_harm, result.start));
  return rows;
}

std::string choice_text(const SearchTask& task, const SearchResult& result) {
  if (!result.chosen) {
    if (task.options.max_drop)
      return fmt::format("no assignment of the front loses at most {} points", *task.options.max_drop);
    return "none chosen: --max-drop or --limit says which";
  }
  return fmt::format(
      "chosen *: {}, {:.1f} % of {}{}; in integers {:.2f} % against {:.2f} % in float, a drop of {}",
      cost_text(task, result.front[*result.chosen].assigned.cost),
      100.0 * result.front[*result.chosen].assigned.cost / task.start_cost, bits_of_start(task),
      task.budget ? "" : fmt::format(" (measured itself: {})", cost_text(task, task.measured)), result.chosen_drop.accuracy,
      result.float_accuracy, drop_text(result.chosen_drop));
}

constexpr const char* kTimeText =
    "times on this machine: of one sample from float input to float output, on one thread; of a layer: time that its bits add";

std::string samples_text(const SearchTask& task) {
  return fmt::format(
      "calibrated on {} training samples, choices measured on {}, accuracy on {}, no sample in two",
      report::format_count(task.calibration.size()), report::format_count(task.harm.size()),
      report::format_count(task.held_out.size()));
}

void print(const SearchTask& task, const SearchResult& result) {
  using Align = report::Table::Align;
  std::vector<report::Table::Column> columns;
  for (const std::string& title : front_columns(task)) columns.push_back({title, Align::right});
  report::Table front(columns);
  for (auto& row : front_rows(task, result)) front.add_row(row);
  fmt::print("{}", front.text());
  print_line("{} assignments on the front; {}", result.front.size(), samples_text(task));
  print_line("{}", preparation_text(task.calibration));
  if (!task.budget) print_line("{}", kTimeText);
  print_line("{}", choice_text(task, result));
  if (!result.chosen) return;
  const analysis::Assigned& chosen = result.front[*result.chosen].assigned;
  report::Table layers({{"layer"},
                        {"bits w", Align::right},
                        {"bits a", Align::right},
                        {"cost", Align::right},
                        {"share", Align::right}});
  for (const LayerRow& row : layers_of(task, chosen))
    layers.add_row({row.name, std::to_string(row.weight_bits), std::to_string(row.input_bits),
                    cost_text(task, row.cost),
                    fmt::format("{:.1f} %", 100.0 * row.cost / chosen.cost)});
  fmt::print("\n{}", layers.text());
  for (const std::string& note : result.model->quantized.notes) print_line("note: {}", note);
  if (!task.options.output.empty())
    print_line("{} -> {}, {}", task.options.model, task.options.output,
               report::format_bytes(static_cast<std::int64_t>(task.bytes)));
}

nlohmann::json layers_json(const SearchTask& task, const analysis::Assigned& assigned) {
  nlohmann::json layers = nlohmann::json::array();
  for (const LayerRow& row : layers_of(task, assigned))
    layers.push_back({{"name", row.name},
                      {"weight_bits", row.weight_bits},
                      {"input_bits", row.input_bits},
                      {"cost", row.cost},
                      {"share", row.cost / assigned.cost}});
  return layers;
}

nlohmann::json to_json(const SearchTask& task, const SearchResult& result) {
  nlohmann::json out{{"model", task.options.model},
                     {"budget", task.options.budget},
                     {"recipe", quant::describe(task.recipe)},
                     {"calibration_samples", task.calibration.size()},
                     {"harm_samples", task.harm.size()},
                     {"samples", task.held_out.size()},
                     {"float_accuracy", result.float_accuracy},
                     {"preparation", preparation_json(task.calibration)},
                     {"warnings", task.warnings},
                     {"front", nlohmann::json::array()}};
  out["start"] = drop_json(result.start);
  out["start"].update({{"cost", task.start_cost}, {"harm", result.start_harm}});
  for (const SearchPoint& point : result.front) {
    nlohmann::json each{{"cost", point.assigned.cost},
                        {"ratio", point.assigned.cost / task.start_cost},
                        {"harm", point.assigned.harm},
                        {"layers", layers_json(task, point.assigned)}};
    if (point.drop) each.update(drop_json(*point.drop));
    out["front"].push_back(std::move(each));
  }
  if (!result.chosen) return out;
  out["chosen"] = drop_json(result.chosen_drop);
  out["chosen"]["point"] = *result.chosen;
  out["chosen"].update({{"cost", result.front[*result.chosen].assigned.cost},
                        {"layers", layers_json(task, result.front[*result.chosen].assigned)}});
  if (!task.budget) out["chosen"]["measured_ms"] = task.measured;
  if (!task.options.output.empty())
    out["chosen"].update({{"output", task.options.output}, {"bytes", task.bytes}});
  return out;
}

report::LinePlot plot_of(const SearchTask& task, const SearchResult& result) {
  report::LinePlot::Curve front;
  for (std::size_t i = 0; i < result.front.size(); ++i) {
    const SearchPoint& point = result.front[i];
    if (!point.drop) continue;
    front.points.push_back({.x = 100.0 * point.assigned.cost / task.start_cost,
                            .y = point.drop->points,
                            .error = point.drop->error,
                            .text = fmt::format("{}: {}", cost_text(task, point.assigned.cost),
                                                formats_of(task, point.assigned)),
                            .marked = result.chosen == i});
  }
  return {.title = fmt::format("accuracy lost by {}", task.options.budget),
          .x_title = fmt::format("cost, % of {}", bits_of_start(task)),
          .y_title = "drop, percentage points",
          .curves = {front},
          .level = task.options.max_drop};
}

std::string to_page(const SearchTask& task, const SearchResult& result) {
  report::Page page{.title = fmt::format("halftone search: {}", task.options.model),
                    .facts = {{"model", task.options.model},
                              {"data", task.calibration.name},
                              {"recipe", quant::describe(task.recipe)}},
                    .figure = report::line_plot(plot_of(task, result)),
                    .columns = front_columns(task),
                    .rows = front_rows(task, result),
                    .notes = {choice_text(task, result), samples_text(task)}};
  if (!task.budget) page.notes.emplace_back(kTimeText);
  if (result.chosen)
    for (const LayerRow& row : layers_of(task, result.front[*result.chosen].assigned))
      page.facts.emplace_back(row.name, fmt::format("w{} a{}, {}", row.weight_bits, row.input_bits,
                                                    cost_text(task, row.cost)));
  return report::to_html(page);
}

}  // namespace

std::string cost_text(const SearchTask& task, double cost) {
  if (!task.budget) return fmt::format("{:.3g} ms", cost);
  if (*task.budget == analysis::Budget::bytes) return report::format_bytes(static_cast<std::int64_t>(cost));
  constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T"};
  std::size_t prefix = 0;
  for (; cost >= 999.5 && prefix + 1 < std::size(kPrefixes); ++prefix) cost /= 1000.0;
  if (*task.budget == analysis::Budget::bit_operations)
    return fmt::format("{:.3g} {}bitops", cost, kPrefixes[prefix]);
  constexpr const char* kUnits[] = {"pJ", "nJ", "uJ", "mJ", "J"};
  return fmt::format("{:.3g} {}", cost, kUnits[prefix]);
}

void add_page(const SearchTask& task, const SearchResult& result, NewFiles& files) {
  if (!task.options.html.empty()) files.add(task.options.html, to_page(task, result));
}

void present(const SearchTask& task, const SearchResult& result) {
  if (task.options.json)
    print_json(to_json(task, result));
  else
    print(task, result);
}

}  // namespace halftone::cli
