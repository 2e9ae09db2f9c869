// A grid of percentages as shades, in a terminal and in an SVG picture.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace halftone::report {

struct Grid {
  std::string row_title;
  std::string column_title;
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<double>>> percent;  // [row][column]; nothing: there is no such cell
  std::vector<std::optional<std::size_t>> best;             // by row: the column that is marked
};

// One line a row, two characters a cell, five shades from the grid's least to its largest number, and a line
// that says which they are. Cells that do not exist are blank.
std::string shades(const Grid& grid);

// An <svg> element of its own: a rectangle a cell with its number, darker being more, the best of each row
// framed. All text is escaped.
std::string heat_map_svg(const Grid& grid, const std::string& title);

}  // namespace halftone::report
