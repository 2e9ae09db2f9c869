// A table as CSV, what it was made with in comment lines above it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace halftone::report {

//   # title
//   # name: value
//   column,column
//   cell,cell
// Cells and columns are plain words: no comma, quote, '#' or line break.
struct Csv {
  std::string title;
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

// Line breaks in settings become blanks. Throws UsageError for a cell that is no plain word, or a row with
// another number of cells than columns.
std::string to_text(const Csv& csv);

// The inverse. Throws InputError naming `where` and the line for anything that to_text cannot have written.
Csv parse_csv(std::string_view text, std::string_view where);

}  // namespace halftone::report
