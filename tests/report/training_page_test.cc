// Trainings as pages.
#include "halftone/report/training_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/report/well_formed.h"

namespace halftone::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TrainingCurve training() {
  return {.title = "mlp at w4a4",
          .epochs = {{.epoch = 1, .loss = 0.51, .training = 0.95, .held_out = 0.94, .test = 0.93},
                     {.epoch = 2, .loss = 0.42, .training = 0.98, .held_out = 0.97},
                     {.epoch = 3, .quantized = true, .loss = 0.47, .training = 0.97, .held_out = 0.96},
                     {.epoch = 4, .quantized = true, .loss = 0.44, .training = 0.98, .test = 0.975}},
          .facts = {{"data", "mnist"}}};
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(TrainingPage, ShowsEveryNumberThatThereIs) {
  const std::string page = training_page(training());
  EXPECT_EQ(count_of(page, "<svg"), 2U);
  EXPECT_EQ(count_of(page, "<polyline"), 4U);
  EXPECT_EQ(count_of(page, "<circle"), 4U + 3U + 2U + 4U);
  EXPECT_THAT(page, HasSubstr("<title>held-out rows, epoch 2: 97.00 %</title>"));
  EXPECT_THAT(page, HasSubstr("<tr><th>epoch</th><th>network</th><th>loss</th><th>training rows</th>"
                              "<th>held-out rows</th><th>test rows</th></tr>"));
  EXPECT_THAT(
      page,
      HasSubstr("<tr><td>2</td><td>float</td><td>0.4200</td><td>98.00 %</td><td>97.00 %</td><td></td>"));
  EXPECT_THAT(
      page,
      HasSubstr("<tr><td>4</td><td>quantized</td><td>0.4400</td><td>98.00 %</td><td></td><td>97.50 %</td>"));
  EXPECT_THAT(page, HasSubstr("<dt>data</dt><dd>mnist</dd>"));
}

TEST(TrainingPage, LeavesOutRowsThatNoEpochWasToldOf) {
  TrainingCurve fewer = training();
  for (TrainingCurve::Epoch& epoch : fewer.epochs) epoch.held_out = epoch.test = std::nullopt;
  const std::string page = training_page(fewer);
  EXPECT_EQ(count_of(page, "<polyline"), 2U);
  EXPECT_THAT(page, Not(HasSubstr("held-out")));
  EXPECT_THAT(page, Not(HasSubstr("test rows")));
}

TEST(TrainingPage, SaysWhereQuantizationStarts) {
  TrainingCurve curve = training();
  EXPECT_EQ(count_of(training_page(curve), ">quantization starts<"), 2U);
  EXPECT_THAT(training_page(curve),
              HasSubstr("<line x1=\"350\" y1=\"40\" x2=\"350\" y2=\"340\""));  // at 2.5 of 1 to 4
  curve.epochs.resize(2);
  EXPECT_THAT(training_page(curve), Not(HasSubstr("quantization starts")));
  curve.epochs = {{.epoch = 1, .quantized = true}, {.epoch = 2, .quantized = true}};
  EXPECT_THAT(training_page(curve), Not(HasSubstr("quantization starts")));
}

TEST(TrainingPage, ShowsWhatAFractionOfAPointIs) {
  TrainingCurve close = training();
  close.epochs = {{.epoch = 1, .training = 0.980}, {.epoch = 2, .quantized = true, .training = 0.975}};
  EXPECT_THAT(training_page(close), HasSubstr("<polyline points=\"70,40 630,340\""));
}

TEST(TrainingPage, IsWellFormedAndNeedsNothingFromOutside) {
  TrainingCurve one = training();
  one.epochs.resize(1);
  TrainingCurve odd = training();
  odd.title = odd.facts[0].first = odd.facts[0].second = "<b>&\"";
  odd.epochs[2].loss = std::nan("");
  odd.epochs[2].training = INFINITY;
  for (const TrainingCurve& each : {training(), one, odd, TrainingCurve{}}) {
    const std::string page = training_page(each);
    EXPECT_TRUE(is_well_formed(body_of(page)));
    EXPECT_THAT(page, Not(HasSubstr("<b>")));
    expect_nothing_from_outside(page);
  }
  EXPECT_EQ(count_of(training_page(odd), "<circle"), 13U - 2U);
}

}  // namespace
}  // namespace halftone::report
