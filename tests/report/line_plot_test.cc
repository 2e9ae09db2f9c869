// Curves as pictures.
#include "halftone/report/line_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/report/well_formed.h"

namespace halftone::report {
namespace {

using testing::HasSubstr;
using testing::Not;

LinePlot plot() {
  return {.title = "t",
          .x_title = "cost",
          .y_title = "drop",
          .curves = {{.points = {{.x = 0.0, .y = 10.0, .text = "first"},
                                 {.x = 100.0, .y = 0.0, .text = "last", .marked = true}}}},
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
  odd.curves[0].points[0].y = std::numeric_limits<double>::infinity();
  odd.curves[0].points[1].x = std::nan("");
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
  odd.title = odd.x_title = odd.y_title = odd.curves[0].points[0].text = "<b>&\"";
  const std::string svg = line_plot(odd);
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
  EXPECT_EQ(count_of(svg, "&lt;b&gt;&amp;&quot;"), 5U);
}

TEST(LinePlot, HasRoomForPointsThatAreAlike) {
  LinePlot flat = plot();
  flat.curves[0].points = {{.x = 3.0, .y = 0.0}, {.x = 3.0, .y = 0.0}};
  flat.level.reset();
  EXPECT_EQ(count_of(line_plot(flat), "<circle"), 2U);
}

// The numbers beside an axis, in the order of the picture: x, then y, then titles and names.
std::vector<std::string> texts_of(const std::string& svg) {
  static const std::regex kText("<text[^>]*>([^<]*)</text>");
  std::vector<std::string> texts;
  for (std::sregex_iterator text(svg.begin(), svg.end(), kText), end; text != end; ++text)
    texts.push_back((*text)[1]);
  return texts;
}

LinePlot function_plot() {
  return {.title = "f",
          .x_title = "x",
          .y_title = "y",
          .curves = {{.name = "f", .points = {{-2.0, -1.0}, {2.0, 1.0}}, .dots = false},
                     {.name = "gradient", .points = {{-2.0, 0.0}, {2.0, 0.5}}, .dots = false}},
          .mark = LinePlot::Mark{.x = 1.0, .text = "threshold"},
          .with_zero = false};
}

TEST(LinePlot, DrawsSeveralCurvesWithoutDotsAndNamesThem) {
  const std::string svg = line_plot(function_plot());
  EXPECT_EQ(count_of(svg, "<circle"), 0U);
  EXPECT_THAT(svg, HasSubstr("<polyline points=\"70,340 630,40\" fill=\"none\" stroke=\"#0b3c7d\""));
  EXPECT_THAT(svg, HasSubstr("<polyline points=\"70,190 630,115\" fill=\"none\" stroke=\"#2b8a3e\""));
  EXPECT_THAT(texts_of(svg), testing::ElementsAre("f", "-2", "-1", "0", "1", "2", "-1", "-0.5", "0", "0.5",
                                                  "1", "x", "y", "threshold", "f", "gradient"));
  EXPECT_EQ(count_of(svg, "stroke=\"#999\""), 2U);  // both zeros
  EXPECT_TRUE(is_well_formed(svg));
}

TEST(LinePlot, HasItsLegendBelowAndAsManyLinesAsItTakes) {
  LinePlot many = function_plot();
  EXPECT_THAT(line_plot(many), HasSubstr("height=\"414\""));
  for (int i = 0; i < 7; ++i) many.curves.push_back({.name = "a name of some length"});
  EXPECT_THAT(line_plot(many), HasSubstr("height=\"474\""));
  many.curves = {{.points = {{1.0, 1.0}}}};
  EXPECT_THAT(line_plot(many), HasSubstr("height=\"394\""));
}

TEST(LinePlot, MarksAPlaceWithTextOnTheSideWithMoreRoom) {
  LinePlot plot = function_plot();
  EXPECT_THAT(line_plot(plot),
              HasSubstr("<line x1=\"490\" y1=\"40\" x2=\"490\" y2=\"340\" stroke=\"#d9480f\""));
  EXPECT_THAT(line_plot(plot), HasSubstr("<text x=\"484\" y=\"54\" text-anchor=\"end\">threshold</text>"));
  plot.mark->x = -1.0;
  EXPECT_THAT(line_plot(plot), HasSubstr("<text x=\"216\" y=\"54\" text-anchor=\"start\">threshold</text>"));
}

TEST(LinePlot, FitsItsAxesAndKeepsZeroOnANumber) {
  LinePlot fitted{
      .curves = {{.points = {{1.0, 97.1}, {3.0, 99.9}}}}, .with_zero = false, .least_x_step = 1.0};
  EXPECT_THAT(texts_of(line_plot(fitted)),
              testing::ElementsAre("", "1", "2", "3", "97", "98", "99", "100", "", ""));
  LinePlot crossing{.curves = {{.points = {{0.0, -0.9}, {1.0, 8.2}}}}};
  EXPECT_THAT(texts_of(line_plot(crossing)), testing::IsSupersetOf({"-2", "0", "2", "10"}));
}

TEST(LinePlot, TakesNumbersThatHaveNoRange) {
  constexpr double kMost = std::numeric_limits<double>::max();
  for (double y : {kMost, 1e17, 5e-324, 0.0, -1e17}) {
    LinePlot odd{.curves = {{.points = {{-y, y}, {y, std::nextafter(-y, y)}}}}, .with_zero = false};
    odd.mark = LinePlot::Mark{.x = std::nan(""), .text = "m"};
    const std::string svg = line_plot(odd);
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_LT(count_of(svg, "<text"), 30U);
  }
}

}  // namespace
}  // namespace halftone::report
