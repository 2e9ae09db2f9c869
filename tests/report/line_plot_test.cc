// Curves as pictures.
#include "halftone/report/line_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace halftone::report {
namespace {

using testing::HasSubstr;
using testing::Not;

LinePlot plot() {
  return {.title = "t",
          .x_title = "cost",
          .y_title = "drop",
          .points = {{.x = 0.0, .y = 10.0, .text = "first"},
                     {.x = 100.0, .y = 0.0, .text = "last", .marked = true}},
          .level = 5.0};
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(LinePlot, DrawsEveryPointTheCurveAndTheLevel) {
  const std::string svg = line_plot(plot());
  EXPECT_EQ(count_of(svg, "<circle"), 2U);
  EXPECT_EQ(count_of(svg, "#d9480f"), 3U);  // the marked point, its bar, the level
  EXPECT_THAT(svg, HasSubstr("<polyline points=\"70,40 630,340\""));
  EXPECT_THAT(svg, HasSubstr("y1=\"190\" x2=\"630\" y2=\"190\""));
  EXPECT_THAT(svg, HasSubstr("<title>first</title>"));
}

TEST(LinePlot, LeavesOutWhatIsNotFiniteAndDrawsNothing) {
  LinePlot odd = plot();
  odd.points[0].y = std::numeric_limits<double>::infinity();
  odd.points[1].x = std::nan("");
  odd.level.reset();
  for (const LinePlot& each : {odd, LinePlot{}}) {
    const std::string svg = line_plot(each);
    EXPECT_EQ(count_of(svg, "<circle"), 0U);
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
  }
}

TEST(LinePlot, EscapesEveryText) {
  LinePlot odd = plot();
  odd.title = odd.x_title = odd.y_title = odd.points[0].text = "<b>&\"";
  const std::string svg = line_plot(odd);
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_EQ(count_of(svg, "&lt;b&gt;&amp;&quot;"), 5U);
}

TEST(LinePlot, HasRoomForPointsThatAreAlike) {
  LinePlot flat = plot();
  flat.points = {{.x = 3.0, .y = 0.0}, {.x = 3.0, .y = 0.0}};
  flat.level.reset();
  EXPECT_EQ(count_of(line_plot(flat), "<circle"), 2U);
}

}  // namespace
}  // namespace halftone::report
