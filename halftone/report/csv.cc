#include "halftone/report/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "halftone/base/error.h"

namespace halftone::report {
namespace {

constexpr std::string_view kComment = "# ";

bool is_word(std::string_view cell) {
  return cell.find_first_of(",\"#\r\n") == std::string_view::npos && !cell.starts_with(' ');
}

std::string line_of(const std::vector<std::string>& cells) {
  for (const std::string& cell : cells)
    if (!is_word(cell)) throw UsageError("csv", fmt::format("cell '{}', expected a plain word", cell));
  return fmt::format("{}\n", fmt::join(cells, ","));
}

std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> cells;
  while (true) {
    const std::size_t comma = line.find(',');
    cells.emplace_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

// Whole lines, one after another; a last line without an end was cut off.
class Lines {
 public:
  Lines(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  std::optional<std::string_view> next() {
    if (text_.empty()) return std::nullopt;
    ++number_;
    const std::size_t end = text_.find('\n');
    if (end == std::string_view::npos) fail("ends in its middle, expected a line end");
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return line;
  }
  [[noreturn]] void fail(std::string_view what) const {
    throw InputError(where_, fmt::format("line {} {}", number_, what));
  }

 private:
  std::string_view text_;
  std::string_view where_;
  int number_ = 0;
};

}  // namespace

std::string to_text(const Csv& csv) {
  std::string text = fmt::format("{}{}\n", kComment, one_line(csv.title));
  for (const auto& [name, value] : csv.settings)
    text += fmt::format("{}{}: {}\n", kComment, name, one_line(value));
  text += line_of(csv.columns);
  for (const auto& row : csv.rows) {
    if (row.size() != csv.columns.size())
      throw UsageError("csv",
                       fmt::format("a row of {} cells for {} columns", row.size(), csv.columns.size()));
    text += line_of(row);
  }
  return text;
}

Csv parse_csv(std::string_view text, std::string_view where) {
  Csv csv;
  Lines lines(text, where);
  std::optional<std::string_view> line = lines.next();
  if (!line || !line->starts_with(kComment))
    throw InputError(where, "first line, got no comment, expected '# ' and a title");
  csv.title = line->substr(kComment.size());
  for (line = lines.next(); line && line->starts_with(kComment); line = lines.next()) {
    const std::size_t colon = line->find(": ");
    if (colon == std::string_view::npos) lines.fail("is a comment without 'name: value'");
    csv.settings.emplace_back(line->substr(kComment.size(), colon - kComment.size()),
                              line->substr(colon + 2));
  }
  if (!line) throw InputError(where, "no line of columns, expected one below the comments");
  if (line->starts_with('#')) lines.fail("is no comment of this kind, expected '# name: value'");
  csv.columns = split(*line);
  while ((line = lines.next())) {
    csv.rows.push_back(split(*line));
    if (csv.rows.back().size() != csv.columns.size())
      lines.fail(fmt::format("has {} cells, expected {}", csv.rows.back().size(), csv.columns.size()));
  }
  return csv;
}

}  // namespace halftone::report
