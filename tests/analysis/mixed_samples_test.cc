// Samples that change each other's answers.
#include "halftone/analysis/mixed_samples.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/error.h"

namespace halftone::analysis {
namespace {

// y_n = x_n, and x_n less the mean over all samples.
class Centered : public ir::Executor {
 public:
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor&) const override {
    const auto x = inputs[0].data<float>();
    double sum = 0.0;
    for (float v : x) sum += v;
    Tensor centered = inputs[0];
    for (float& v : centered.mutable_data<float>()) v -= static_cast<float>(sum / static_cast<double>(x.size()));
    return {inputs[0], centered};
  }
};

// y_n = x_n − x_0.
class LessTheFirst : public ir::Executor {
 public:
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor&) const override {
    Tensor y = inputs[0];
    const float first = inputs[0].data<float>()[0];
    for (float& v : y.mutable_data<float>()) v -= first;
    return {y};
  }
};

class Same : public ir::Executor {
 public:
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor&) const override { return {inputs[0]}; }
};

calibration::Samples numbers(const std::vector<float>& x) {
  calibration::Samples samples;
  samples.inputs.push_back({.name = "x", .rows = Tensor::from({static_cast<std::int64_t>(x.size()), 1}, x)});
  return samples;
}

TEST(MixedSamples, NamesTheOutputTheSampleAndTheChange) {
  const auto mixed = mixed_samples(Centered(), numbers({4.0F, 1.0F, 1.0F}), {});
  ASSERT_TRUE(mixed.has_value());
  EXPECT_EQ(mixed->output, 1U);
  EXPECT_EQ(mixed->sample, 0);
  EXPECT_DOUBLE_EQ(mixed->change, 2.0);  // 4 − 4 alone, 4 − 2 in a batch
  EXPECT_DOUBLE_EQ(mixed->largest, 2.0);
}

// Sample 0 is the same in any batch.
TEST(MixedSamples, SeesASampleThatChangesOthersAlone) {
  const auto mixed = mixed_samples(LessTheFirst(), numbers({4.0F, 1.0F}), {});
  ASSERT_TRUE(mixed.has_value());
  EXPECT_EQ(mixed->sample, 1);
  EXPECT_DOUBLE_EQ(mixed->change, 3.0);
}

// A batch of four is filled up with the last sample, which is tried alone: 1 − 1, and 1 − (4 + 1 + 1 + 1)/4.
TEST(MixedSamples, SeesThemInAFixedBatch) {
  const auto mixed = mixed_samples(Centered(), numbers({4.0F, 1.0F}), {.batch_size = 4, .fixed_batch = true});
  ASSERT_TRUE(mixed.has_value());
  EXPECT_DOUBLE_EQ(mixed->change, 0.75);
}

// Takes one sample a run.
class OneByOne : public ir::Executor {
 public:
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor&) const override {
    if (inputs[0].dim(0) != 1) throw InputError("one", "takes one");
    return {inputs[0]};
  }
};

TEST(MixedSamples, AreNoneWhereTheNetworkTakesOneByOne) {
  EXPECT_FALSE(mixed_samples(OneByOne(), numbers({4.0F, 1.0F}), {}).has_value());
  EXPECT_FALSE(mixed_samples(Centered(), numbers({4.0F, 1.0F}), {.batch_size = 1}).has_value());
}

TEST(MixedSamples, AreNoneWhereNothingMixes) {
  EXPECT_FALSE(mixed_samples(Same(), numbers({4.0F, 1.0F, 9.0F}), {}).has_value());
  EXPECT_FALSE(mixed_samples(Centered(), numbers({4.0F}), {}).has_value());
  EXPECT_FALSE(mixed_samples(Centered(), numbers({0.0F, 0.0F}), {}).has_value());
  EXPECT_FALSE(mixed_samples(Centered(), numbers({4.0F, 1.0F}), {.batch_size = 1, .fixed_batch = true}).has_value());
}

}  // namespace
}  // namespace halftone::analysis
