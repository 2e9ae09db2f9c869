// Grids as shades and as pages.
#include "halftone/report/heat_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/report/html.h"
#include "tests/report/well_formed.h"

namespace halftone::report {
namespace {

using testing::HasSubstr;
using testing::Not;

Grid grid() {
  return {.row_title = "wl",
          .column_title = "fl",
          .rows = {"1", "2"},
          .columns = {"a", "b"},
          .percent = {{0.0, std::nullopt}, {50.0, 100.0}},
          .best = {0, 1}};
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Shades, RunFromTheLeastToTheLargest) {
  EXPECT_EQ(shades(grid()), " 1  ··\n 2  ▒▒██\n    ·· 0.00 % … ██ 100.00 %; columns: fl\n");
}

TEST(Shades, OfEqualNumbersAreOne) {
  Grid flat = grid();
  flat.percent = {{7.0, 7.0}, {7.0, 7.0}};
  EXPECT_THAT(shades(flat), HasSubstr(" 1  ████\n 2  ████\n"));
}

TEST(HeatMap, HasARectangleForEveryCellAndFramesTheBest) {
  const std::string svg = heat_map_svg(grid(), "title");
  EXPECT_EQ(count_of(svg, "<rect"), 3U);
  EXPECT_EQ(count_of(svg, "stroke="), 2U);
  EXPECT_THAT(svg, HasSubstr("wl 2, fl b: 100.00 %"));
  EXPECT_THAT(svg, Not(HasSubstr("-0.0 ")));
}

TEST(HeatMap, EscapesEveryText) {
  Grid odd = grid();
  odd.rows[0] = odd.columns[0] = odd.row_title = odd.column_title = "<b>&\"";
  const std::string svg = heat_map_svg(odd, "<b>");
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;&amp;&quot;"));
}

TEST(Html, IsOnePageWithItsTextEscaped) {
  const std::string html = to_html({.title = "<t>",
                                    .facts = {{"model", "<m>"}},
                                    .figure = "<svg></svg>",
                                    .columns = {"<c>"},
                                    .rows = {{"<1>"}},
                                    .notes = {"<n>"}});
  for (const char* text : {"<t>", "<m>", "<c>", "<1>", "<n>"}) EXPECT_THAT(html, Not(HasSubstr(text)));
  EXPECT_THAT(html, HasSubstr("<figure>\n<svg></svg></figure>"));
  EXPECT_THAT(html, HasSubstr("<dt>model</dt><dd>&lt;m&gt;</dd>"));
  EXPECT_EQ(html.find("http"), std::string::npos);
  EXPECT_TRUE(is_well_formed(body_of(html)));
}

}  // namespace
}  // namespace halftone::report
