// Plain text tables.
#pragma once

#include <string>
#include <vector>

namespace halftone::report {

class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  // Titles and cells are other people's text: as shown() gives them.
  explicit Table(std::vector<Column> columns);
  // As many cells as there are columns.
  void add_row(std::vector<std::string> cells);
  // Columns two blanks apart, a rule under the titles, no trailing blanks.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "0 B", "12.5 MB", "427 kB": powers of 1000, three digits.
std::string format_bytes(std::int64_t bytes);
// "1,234,567".
std::string format_count(std::int64_t count);

}  // namespace halftone::report
