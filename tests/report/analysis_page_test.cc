// The page is well-formed, needs nothing from outside, and keeps names from becoming markup.
#include "halftone/report/analysis_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <regex>

#include "halftone/report/markup.h"
#include "tests/report/well_formed.h"

namespace halftone::report {
namespace {

using testing::HasSubstr;
using testing::Not;

AnalysisPage page_with(const std::string& name) {
  return {
      .title = name,
      .summary = {name},
      .ranking = {{name, name, {name, name}}},
      .layers = {{name, {0.1, 0.2, 0.0, 0.05}, name, 31.5}, {"exact", {0, 0, 0, 0}, "", INFINITY}},
      .tensors = {{name,
                   name,
                   {name},
                   {.range = {-1.0, 2.0}, .counts = {1, 0, 7}, .clip = {-3.0, 1.5}, .sigma = {-9.0, 9.0}}}}};
}

TEST(Escaped, WritesMarkupAsText) {
  EXPECT_EQ(escaped("<b>&\"'"), "&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escaped("größe ✓ 𝄞"), "größe ✓ 𝄞");
  EXPECT_EQ(escaped(std::string("a\0b\x1b", 4)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(escaped("\xC3("), "\xEF\xBF\xBD(");
  EXPECT_EQ(escaped("a\u202Eb\u2066\u200F"), "a\xEF\xBF\xBD" "b\xEF\xBF\xBD\xEF\xBF\xBD");  // they turn what follows
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  EXPECT_EQ(escaped("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
}

RC_GTEST_PROP(Escaped, AnyBytesAreText, (const std::string& bytes)) {
  RC_ASSERT(is_well_formed("<p>" + escaped(bytes) + "</p>"));
}

TEST(Coordinate, HasTwoDecimalsAtMost) {
  EXPECT_EQ(coordinate(12.0), "12");
  EXPECT_EQ(coordinate(0.126), "0.13");
  EXPECT_EQ(coordinate(-0.001), "0");
  EXPECT_EQ(coordinate(NAN), "0");
  EXPECT_EQ(coordinate(100.0), "100");
}

TEST(AnalysisPage, IsWellFormed) {
  EXPECT_TRUE(is_well_formed(body_of(analysis_page(page_with("conv1")))));
  EXPECT_TRUE(is_well_formed(body_of(analysis_page({}))));
}

TEST(AnalysisPage, KeepsNamesFromBecomingMarkup) {
  const std::string page = analysis_page(page_with("<b>&\""));
  EXPECT_TRUE(is_well_formed(body_of(page)));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;&amp;&quot;"));
}

TEST(AnalysisPage, NeedsNothingFromOutside) {
  expect_nothing_from_outside(analysis_page(page_with("conv1")));
}

TEST(AnalysisPage, HasAPlotOfHarmOneOfSqnrAndOneATensor) {
  const std::string page = analysis_page(page_with("conv1"));
  std::size_t plots = 0;
  for (std::size_t at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1)) ++plots;
  EXPECT_EQ(plots, 3U);
  for (const char* kind : {"weights: 0.1", "activation: 0.2", "requantization: 0.05", "31.5 dB", "exact"})
    EXPECT_THAT(page, HasSubstr(kind));
}

TEST(BarPlot, DrawsPartsBehindOneAnotherOnOneScale) {
  const std::string plot = bar_plot({{"a", {1.0, 3.0}, ""}, {"b", {2.0, -1.0}, ""}}, {"p", "q"});
  EXPECT_THAT(plot, HasSubstr(R"(class="k0" x="230" y="27" width="105")"));
  EXPECT_THAT(plot, HasSubstr(R"(class="k1" x="335" y="27" width="315")"));
  EXPECT_THAT(plot, HasSubstr(R"(class="k0" x="230" y="47" width="210")"));
}

TEST(HistogramPlot, ShowsBinsAndBothClipLines) {
  const HistogramPlot all{.range = {0.0, 3.0}, .counts = {5, 0, 1}, .clip = {-1.0, 2.0}, .sigma = {0.0, 1.0}};
  const std::string plot = histogram_plot(all);
  EXPECT_THAT(plot, HasSubstr(R"(<line class="clip" x1="8")"));
  EXPECT_THAT(plot, HasSubstr(R"(<line class="clip" x1="236")"));
  EXPECT_THAT(plot, HasSubstr("0 to 1: 5"));
  EXPECT_THAT(plot, Not(HasSubstr("1 to 2: 0")));
  EXPECT_TRUE(is_well_formed(histogram_plot({})));
}

}  // namespace
}  // namespace halftone::report
