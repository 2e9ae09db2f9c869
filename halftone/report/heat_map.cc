#include "halftone/report/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "halftone/report/html.h"
#include "halftone/report/markup.h"

namespace halftone::report {
namespace {

constexpr std::array<std::string_view, 5> kShades{"··", "░░", "▒▒", "▓▓", "██"};
constexpr double kCellWidth = 58.0;
constexpr double kCellHeight = 30.0;
constexpr double kTop = 84.0;       // title and column labels
constexpr double kCharacter = 7.6;  // width of one at the labels' size
constexpr double kDarkText = 0.55;  // share of the range from which on text is white

struct Extent {
  double least = 0.0;
  double most = 0.0;
  // 0 for the least, 1 for the largest.
  double share(double percent) const { return most > least ? (percent - least) / (most - least) : 1.0; }
};

Extent extent_of(const Grid& grid) {
  std::optional<Extent> extent;
  for (const auto& row : grid.percent)
    for (const auto& cell : row) {
      if (!cell) continue;
      if (!extent) extent = Extent{*cell, *cell};
      extent->least = std::min(extent->least, *cell);
      extent->most = std::max(extent->most, *cell);
    }
  return extent.value_or(Extent{});
}

std::size_t longest(const std::vector<std::string>& texts) {
  std::size_t length = 0;
  for (const std::string& text : texts) length = std::max(length, text.size());
  return length;
}

// From nearly white to a dark blue.
std::string colour(double share) {
  const auto mix = [&](int from, int to) {
    return static_cast<int>(std::lround(from + share * (to - from)));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(0xf4, 0x0b), mix(0xf8, 0x3c), mix(0xfd, 0x7d));
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text,
                    std::string_view more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                     escaped(text));
}

std::string cell_svg(const Grid& grid, std::size_t r, std::size_t c, double left, const Extent& extent) {
  if (!grid.percent[r][c]) return "";
  const double percent = *grid.percent[r][c];
  const double x = left + kCellWidth * static_cast<double>(c);
  const double y = kTop + kCellHeight * static_cast<double>(r);
  const bool best = grid.best[r] == c;
  const bool dark = extent.share(percent) > kDarkText;
  return fmt::format(
             "<g><title>{} {}, {} {}: {:.2f} %</title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
             "height=\"{:.1f}\" fill=\"{}\"{}/>\n",
             escaped(grid.row_title), escaped(grid.rows[r]), escaped(grid.column_title),
             escaped(grid.columns[c]), percent, x + 1, y + 1, kCellWidth - 2, kCellHeight - 2,
             colour(extent.share(percent)), best ? " stroke=\"#d9480f\" stroke-width=\"2.5\"" : "") +
         text_at(x + kCellWidth / 2, y + kCellHeight / 2 + 4, "middle", fmt::format("{:.2f}", percent),
                 fmt::format(" fill=\"{}\"{}", dark ? "#ffffff" : "#1a1a1a",
                             best ? " font-weight=\"bold\"" : "")) +
         "</g>\n";
}

}  // namespace

std::string shades(const Grid& grid) {
  const Extent extent = extent_of(grid);
  const std::size_t width = std::max(longest(grid.rows), grid.row_title.size());
  std::string text;
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    std::string line = fmt::format("{:>{}}  ", grid.rows[r], width);
    for (const std::optional<double>& cell : grid.percent[r]) {
      const auto level =
          cell ? static_cast<std::size_t>(extent.share(*cell) * static_cast<double>(kShades.size())) : 0;
      line += cell ? kShades[std::min(level, kShades.size() - 1)] : "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text + fmt::format("{:>{}}  {} {:.2f} % … {} {:.2f} %; columns: {}\n", "", width, kShades.front(),
                            extent.least, kShades.back(), extent.most, grid.column_title);
}

std::string heat_map_svg(const Grid& grid, const std::string& title) {
  const Extent extent = extent_of(grid);
  const double left =
      24.0 + kCharacter * static_cast<double>(std::max(longest(grid.rows), grid.row_title.size()));
  const double label = kCharacter * static_cast<double>(longest(grid.columns));
  const bool slanted = label > kCellWidth - 4;
  const double width =
      std::max(left + kCellWidth * static_cast<double>(grid.columns.size()) + (slanted ? label * 0.7 : 12.0),
               24.0 + kCharacter * static_cast<double>(title.size()));
  const double raised = slanted ? label * 0.7 : 0.0;
  const double height = kTop + kCellHeight * static_cast<double>(grid.rows.size()) + 12.0;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 {:.1f} {:.1f} {:.1f}\" width=\"{:.0f}\" "
      "height=\"{:.0f}\" role=\"img\" font-family=\"sans-serif\" font-size=\"13\">\n<title>{}</title>\n",
      0.0 - raised, width, height + raised, width, height + raised, escaped(title));
  svg += text_at(12, 22 - raised, "start", title, " font-weight=\"bold\"");
  svg += text_at(left, 46 - raised, "start", grid.column_title);
  svg += text_at(left - 10, kTop - 8, "end", grid.row_title);
  for (std::size_t c = 0; c < grid.columns.size(); ++c) {
    const double x = left + kCellWidth * (static_cast<double>(c) + 0.5);
    svg += text_at(x, kTop - 8, slanted ? "start" : "middle", grid.columns[c],
                   slanted ? fmt::format(" transform=\"rotate(-45 {:.1f} {:.1f})\"", x, kTop - 8) : "");
  }
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    svg += text_at(left - 10, kTop + kCellHeight * (static_cast<double>(r) + 0.5) + 4, "end", grid.rows[r]);
    for (std::size_t c = 0; c < grid.columns.size(); ++c) svg += cell_svg(grid, r, c, left, extent);
  }
  return svg + "</svg>\n";
}

}  // namespace halftone::report
