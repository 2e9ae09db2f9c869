#include "cli/sweep_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "halftone/base/error.h"
#include "halftone/base/file.h"

namespace halftone::cli {
namespace {

constexpr std::size_t kMaxTableBytes = 1 << 24;

std::string read_text(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kMaxTableBytes, Afterwards::rewritten);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

SweepFile::SweepFile(std::string path, SweepLayout layout)
    : path_(std::move(path)), layout_(std::move(layout)), counts_(layout_.cells.size()) {
  if (std::filesystem::exists(path_)) read(report::parse_csv(read_text(path_), path_));
}

std::vector<std::size_t> SweepFile::missing() const {
  std::vector<std::size_t> cells;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (!counts_[i]) cells.push_back(i);
  return cells;
}

void SweepFile::store(std::size_t cell, analysis::CellCounts counts) {
  counts_.at(cell) = std::move(counts);
  report::Csv csv{.title = layout_.title, .settings = layout_.settings, .columns = columns(), .rows = {}};
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i]) csv.rows.push_back(row(i));
  write_file(path_, report::to_text(csv));
}

std::vector<std::string> SweepFile::columns() const {
  std::vector<std::string> columns = layout_.key_columns;
  for (const std::string& network : layout_.networks) {
    columns.push_back(network + "correct");
    columns.push_back(network + "accuracy");
  }
  return columns;
}

std::vector<std::string> SweepFile::row(std::size_t cell) const {
  std::vector<std::string> cells = layout_.cells[cell].words;
  for (const std::optional<std::int64_t>& correct : counts(cell)) {
    cells.push_back(correct ? std::to_string(*correct) : "");
    cells.push_back(correct ? fmt::format("{:.4f}", 100.0 * static_cast<double>(*correct) /
                                                        static_cast<double>(layout_.samples))
                            : "");
  }
  return cells;
}

void SweepFile::read(const report::Csv& csv) {
  if (csv.title != layout_.title)
    throw InputError(path_, fmt::format("is there already, got '{}', expected '{}' or a new name", csv.title,
                                        layout_.title));
  expect_settings(csv.settings);
  if (csv.columns != columns()) throw InputError(path_, "has other columns, expected those of its settings");
  for (const std::vector<std::string>& row : csv.rows) {
    const auto key = std::ranges::find_if(layout_.cells, [&](const SweepKey& candidate) {
      return std::equal(candidate.words.begin(), candidate.words.end(), row.begin());
    });
    if (key == layout_.cells.end())
      throw InputError(path_, fmt::format("has a cell '{}' that its settings do not", row.front()));
    auto& counts = counts_[static_cast<std::size_t>(key - layout_.cells.begin())];
    if (counts) throw InputError(path_, fmt::format("has cell '{}' twice, expected once", row.front()));
    counts = parse_row(row, *key);
  }
}

void SweepFile::expect_settings(const SweepSettings& found) const {
  for (std::size_t i = 0; i < std::max(found.size(), layout_.settings.size()); ++i) {
    const std::pair<std::string, std::string> none{"", "nothing"};
    const auto& got = i < found.size() ? found[i] : none;
    const auto& expected = i < layout_.settings.size() ? layout_.settings[i] : none;
    if (got == expected) continue;
    throw UsageError(
        path_, fmt::format("is a table of other settings: {}, got {}, expected {}; take another "
                           "name, or remove it",
                           expected.first.empty() ? got.first : expected.first, got.second, expected.second));
  }
}

analysis::CellCounts SweepFile::parse_row(const std::vector<std::string>& row, const SweepKey& key) const {
  analysis::CellCounts counts;
  for (std::size_t n = 0; n < layout_.networks.size(); ++n) {
    const std::string& text = row[key.words.size() + 2 * n];
    counts.emplace_back();
    if (text.empty() && !key.networks[n]) continue;
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > layout_.samples ||
        !key.networks[n])
      throw InputError(path_,
                       fmt::format("right answers of a cell, got '{}', expected {}", text,
                                   key.networks[n] ? fmt::format("0 to {}", layout_.samples) : "none"));
    counts.back() = value;
  }
  return counts;
}

}  // namespace halftone::cli
