// Which preparation of pixels and labels makes a network right.
#include "halftone/analysis/preparation_trials.h"

#include <gtest/gtest.h>

namespace halftone::analysis {
namespace {

// Gives class ⌊number·scale⌋ + moved of `width` a score of 1.
class Reader : public ir::Executor {
 public:
  Reader(std::int64_t width, float scale, std::int64_t moved) : width_(width), scale_(scale), moved_(moved) {}
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor&) const override {
    const std::int64_t rows = inputs[0].dim(0);
    Tensor scores(DType::float32, {rows, width_});
    for (std::int64_t n = 0; n < rows; ++n) {
      const float number = inputs[0].data<float>()[static_cast<std::size_t>(n)] * scale_ + 0.25F;
      const auto at = static_cast<std::int64_t>(number) + moved_;
      if (at >= 0 && at < width_) scores.mutable_data<float>()[static_cast<std::size_t>(n * width_ + at)] = 1.0F;
    }
    return {scores};
  }

 private:
  std::int64_t width_;
  float scale_;
  std::int64_t moved_;
};

// The pixel of each picture is 10 times its label.
calibration::Samples pixels(const char* preset) {
  calibration::Samples samples{.preprocessing = data::preset(preset), .classes = 10};
  Tensor rows(DType::uint8, {60, 1, 1, 1});
  for (std::size_t i = 0; i < 60; ++i) {
    rows.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(10 * (i % 10));
    samples.labels.push_back(static_cast<std::int32_t>(i % 10));
  }
  samples.inputs.push_back({.name = "x", .rows = rows});
  return samples;
}

TEST(PreparationTrials, FindThePresetThatMakesTheNetworkRight) {
  const auto trials = try_preparations(Reader(10, 0.1F, 0), pixels("mnist"), {}, 0, true);
  ASSERT_FALSE(trials.empty());
  EXPECT_EQ(trials[0].preprocessing.name, "mnist");
  EXPECT_DOUBLE_EQ(trials[0].percent, 10.0);
  EXPECT_TRUE(is_near_chance(trials[0].percent, 10));
  const PreparationTrial* better = far_better(trials, 10);
  ASSERT_NE(better, nullptr);
  EXPECT_EQ(better->preprocessing.name, "raw");
  EXPECT_EQ(better->label_offset, 0);
  EXPECT_DOUBLE_EQ(better->percent, 100.0);
}

TEST(PreparationTrials, FindTheLabelOffset) {
  const auto trials = try_preparations(Reader(11, 0.1F, 1), pixels("raw"), {}, 0, true);
  ASSERT_FALSE(trials.empty());
  EXPECT_DOUBLE_EQ(trials[0].percent, 0.0);
  const PreparationTrial* better = far_better(trials, 10);
  ASSERT_NE(better, nullptr);
  EXPECT_EQ(better->preprocessing.name, "raw");
  EXPECT_EQ(better->label_offset, 1);
}

TEST(PreparationTrials, FindThatLabelsBeginAtOne) {
  calibration::Samples samples = pixels("raw");
  for (std::int32_t& label : samples.labels) ++label;
  samples.classes = 11;
  const auto trials = try_preparations(Reader(10, 0.1F, 0), samples, {}, 0, true);
  ASSERT_FALSE(trials.empty());
  const PreparationTrial* better = far_better(trials, 10);
  ASSERT_NE(better, nullptr);
  EXPECT_EQ(better->label_offset, -1);
}

TEST(PreparationTrials, HaveNothingBetterForARightNetwork) {
  const auto trials = try_preparations(Reader(10, 0.1F, 0), pixels("raw"), {}, 0, true);
  EXPECT_DOUBLE_EQ(trials.at(0).percent, 100.0);
  EXPECT_FALSE(is_near_chance(trials[0].percent, 10));
  EXPECT_EQ(far_better(trials, 10), nullptr);
}

TEST(PreparationTrials, AreNoneWithoutLabelsOrScores) {
  calibration::Samples samples = pixels("raw");
  EXPECT_TRUE(try_preparations(Reader(3, 1.0F, 0), samples, {}, 0, true).empty());
  samples.labels.clear();
  EXPECT_TRUE(try_preparations(Reader(10, 1.0F, 0), samples, {}, 0, true).empty());
}

TEST(PreparationTrials, SayWhatIsNearChance) {
  EXPECT_TRUE(is_near_chance(32.4, 10));
  EXPECT_FALSE(is_near_chance(32.6, 10));
  EXPECT_TRUE(is_near_chance(62.0, 2));
  EXPECT_FALSE(is_near_chance(63.0, 2));
  EXPECT_TRUE(is_near_chance(24.0, 1000));
  EXPECT_FALSE(is_near_chance(26.0, 1000));
}

}  // namespace
}  // namespace halftone::analysis
