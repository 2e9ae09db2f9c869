#include <nlohmann/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cli/outcome.h"
#include "cli/sweep_table.h"
#include "cli/warnings.h"
#include "halftone/base/digest.h"
#include "halftone/base/new_files.h"
#include "halftone/report/html.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

std::vector<std::string> columns_of(const SweepResult& result) {
  std::vector<std::string> columns{fmt::format("{} \\ {}", result.grid.row_title, result.grid.column_title)};
  for (const auto* more : {&result.grid.columns, &result.more_columns})
    columns.insert(columns.end(), more->begin(), more->end());
  return columns;
}

std::vector<std::vector<std::string>> rows_of(const SweepResult& result) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t r = 0; r < result.grid.rows.size(); ++r) {
    std::vector<std::string> cells{result.grid.rows[r]};
    for (std::size_t c = 0; c < result.grid.columns.size(); ++c) {
      const std::optional<double>& percent = result.grid.percent[r][c];
      const char* mark = result.grid.best[r] == c ? "*" : " ";
      cells.push_back(percent ? fmt::format("{:.2f}{}", *percent, mark) : "");
    }
    if (!result.more_cells.empty())
      cells.insert(cells.end(), result.more_cells[r].begin(), result.more_cells[r].end());
    rows.push_back(std::move(cells));
  }
  return rows;
}

void print_table(const SweepResult& result) {
  std::vector<report::Table::Column> columns;
  for (const std::string& title : columns_of(result)) columns.push_back({title, report::Table::Align::right});
  report::Table table(columns);
  for (auto& row : rows_of(result)) table.add_row(row);
  fmt::print("{}\n{}", table.text(), report::shades(result.grid));
}

// Numbers as numbers.
nlohmann::json word_json(const std::string& word) {
  const bool number = std::ranges::all_of(word, [](unsigned char c) { return std::isdigit(c) != 0; });
  return number ? nlohmann::json(std::stoi(word)) : nlohmann::json(word);
}

nlohmann::json cells_json(const SweepTask& task, const SweepTable& table, const SweepFile& file) {
  nlohmann::json cells = nlohmann::json::array();
  const std::vector<std::string> columns = table.key_columns();
  const std::vector<SweepKey> keys = table.keys();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    nlohmann::json cell;
    for (std::size_t k = 0; k < columns.size(); ++k) cell[columns[k]] = word_json(keys[i].words[k]);
    const auto& counts = file.counts(i);
    for (std::size_t n = 0; n < counts.size(); ++n) {
      if (!counts[n]) continue;
      cell[table.networks()[n] + "correct"] = *counts[n];
      cell[table.networks()[n] + "accuracy"] = task.percent(*counts[n]);
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

nlohmann::json to_json(const SweepTask& task, const SweepTable& table, const SweepFile& file,
                       const SweepResult& result, double float_percent) {
  nlohmann::json settings;
  for (const auto& [name, value] : table.settings(task)) settings[name] = value;
  return {{"model", task.options.model},
          {"data", task.samples.name},
          {"samples", task.samples.size()},
          {"float_accuracy", float_percent},
          {"settings", settings},
          {"preparation", preparation_json(task.samples)},
          {"warnings", task.warnings},
          {"cells", cells_json(task, table, file)},
          {"rows", result.rows},
          {"notes", result.notes}};
}

std::string to_page(const SweepTask& task, const SweepTable& table, const SweepResult& result,
                    const std::vector<std::string>& notes) {
  report::Page page{
      .title = fmt::format("{}: {}", table.title(), task.options.model),
      .facts = {{"model", task.options.model}, {"data", describe(task.samples)}},
      .figure = report::heat_map_svg(result.grid, "right answers in %, the best of each row framed"),
      .columns = columns_of(result),
      .rows = rows_of(result),
      .notes = notes};
  for (const auto& setting : table.settings(task)) page.facts.push_back(setting);
  return report::to_html(page);
}

}  // namespace

void name_part(calibration::Samples& samples, const DataOptions& options) {
  if (!options.images.empty()) return;
  const std::optional<data::Part> part = data::parse_source(options.data).part;
  if (!part && data::is_array_file(options.data)) return;
  samples.name += fmt::format(":{}", data::name_of(part.value_or(data::Part::train)));
}

std::string describe(const calibration::Samples& samples) {
  Digest digest;
  for (const calibration::SampledInput& input : samples.inputs) digest.add(input.rows.bytes());
  digest.add(std::as_bytes(std::span(samples.labels)));
  return fmt::format("{}, {} samples, {}, {}", samples.name, samples.size(),
                     data::encode(samples.preprocessing), digest.text());
}

void present(const SweepTask& task, const SweepTable& table, const SweepFile& file, double float_percent) {
  const SweepResult result = table.result(task, file);
  std::vector<std::string> notes{fmt::format("{:.2f} % in float; {} samples of {}; * the best of its row",
                                             float_percent, report::format_count(task.samples.size()),
                                             task.samples.name)};
  notes.push_back(preparation_text(task.samples));
  notes.insert(notes.end(), result.notes.begin(), result.notes.end());
  NewFiles files;
  if (!task.options.json.empty()) {
    const nlohmann::json json = to_json(task, table, file, result, float_percent);
    files.add(task.options.json, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
  }
  if (!task.options.html.empty()) files.add(task.options.html, to_page(task, table, result, notes));
  files.publish();
  print_table(result);
  for (const std::string& note : notes) print_line("{}", note);
}

}  // namespace halftone::cli
