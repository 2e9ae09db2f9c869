// Measures of every tensor while two networks run, counted by hand and for any number of threads.
#include "halftone/analysis/layer_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/analysis/analyzed.h"
#include "tests/base/message_of.h"

namespace halftone::analysis {
namespace {

// Integers stand for multiples of 1/64 from −2 to 127/64, z = 0.
constexpr numeric::Range kSixtyFourths{-2.0, 127.0 / 64.0};

TEST(TensorError, SaturationIsCountedByHand) {
  const std::vector<float> x{0.0F, 1.0F, 5.0F, -3.0F, 1.99F, 2.0F};
  const Analyzed a = one_gemm({1, 0, 0, 1}, {0, 0}, x, kSixtyFourths, kSixtyFourths);
  const TensorError seen = a.errors().activations.at(0);
  EXPECT_EQ(seen.name, "x");
  EXPECT_EQ(seen.saturated, 3);  // 5, −3 and 2: 1.99 rounds to 127
  EXPECT_DOUBLE_EQ(seen.saturation(), 0.5);
  const double most = 127.0 / 64.0;
  const double beyond = std::pow(5.0 - most, 2) + 1.0 + std::pow(2.0 - most, 2);
  const double rounded = std::pow(double{1.99F} - most, 2);
  EXPECT_DOUBLE_EQ(seen.clipped, beyond);
  EXPECT_DOUBLE_EQ(seen.own, beyond + rounded);
  EXPECT_DOUBLE_EQ(seen.signal.dd, beyond + rounded);
  EXPECT_DOUBLE_EQ(seen.used, 8.0 / (255.0 / 64.0));
  EXPECT_EQ(seen.clip, kSixtyFourths);
  EXPECT_EQ(seen.seen.range(), (numeric::Range{-3.0, 5.0}));
}

TEST(TensorError, OfWeightsOnTheGridIsNone) {
  const float unit = 1.0F / 128.0F;
  const Analyzed a = one_gemm({127 * unit, -64 * unit, 3 * unit, 127 * unit}, {0.25F, -0.5F}, {1.0F, 0.5F},
                              kSixtyFourths, kSixtyFourths);
  const LayerErrors errors = a.errors();
  EXPECT_EQ(errors.weights.at(0).signal.sqnr(), INFINITY);
  EXPECT_EQ(errors.weights[0].saturated, 0);
  EXPECT_DOUBLE_EQ(errors.weights[0].used, (124.0 / 254.0 + 191.0 / 254.0) / 2.0);
  EXPECT_TRUE(rounded_to_nearest(*a.models.real.constant(1), a.models.layers[0]));
  EXPECT_EQ(errors.results.at(0).signal.dd, 0.0);
  EXPECT_EQ(errors.results[0].mean_share(), 0.0);
}

TEST(ResultError, MeanShareIsThatOfTheChannelsMeans) {
  ResultError error;
  error.channels = {4.0, -2.0};  // over two numbers each: means 2 and −1
  error.signal.count = 4;
  error.signal.dd = 20.0;
  EXPECT_DOUBLE_EQ(error.mean_share(), (2 * 4.0 + 2 * 1.0) / 20.0);
}

TEST(LayerErrors, AreTheSameForAnyNumberOfThreads) {
  const Analyzed a = analyzed();
  const LayerErrors one = a.errors({.batch_size = 3, .threads = 1});
  const LayerErrors two = a.errors({.batch_size = 3, .threads = 2});
  for (std::size_t i = 0; i < one.activations.size(); ++i) {
    EXPECT_EQ(one.activations[i].signal, two.activations[i].signal);
    EXPECT_EQ(one.activations[i].own, two.activations[i].own);
    EXPECT_EQ(one.activations[i].seen, two.activations[i].seen);
  }
  for (std::size_t i = 0; i < one.results.size(); ++i) {
    EXPECT_EQ(one.results[i].signal, two.results[i].signal);
    EXPECT_EQ(one.results[i].channels, two.results[i].channels);
  }
}

TEST(LayerErrors, DoNotCountWhatFillsUpABatch) {
  const Analyzed a = analyzed();
  const LayerErrors plain = a.errors({.batch_size = 16});
  const LayerErrors filled = a.errors({.batch_size = 16, .fixed_batch = true});
  for (std::size_t i = 0; i < plain.activations.size(); ++i) {
    EXPECT_EQ(plain.activations[i].signal, filled.activations[i].signal);
    EXPECT_EQ(plain.activations[i].seen, filled.activations[i].seen);
  }
}

TEST(LayerErrors, GrowAlongTheNetworkAndStayWithinEightBits) {
  const LayerErrors errors = analyzed().errors();
  for (const TensorError& tensor : errors.activations) {
    EXPECT_GT(tensor.signal.sqnr(), 25.0) << tensor.name;
    EXPECT_GT(tensor.signal.cosine(), 0.99) << tensor.name;
    EXPECT_EQ(tensor.saturated, 0) << tensor.name;  // ranges come from these samples
  }
}

TEST(LayerErrors, NameLayerAndSampleOfANaN) {
  Analyzed a = analyzed();
  a.samples.inputs[0].rows.mutable_data<float>()[36 * 13 + 5] = NAN;
  for (int threads : {1, 2})
    EXPECT_EQ(message_of<InputError>([&] { a.errors({.batch_size = 4, .threads = threads}); }),
              "[layer 'conv1'] sample 13, got not a number (NaN), expected finite numbers");
}

TEST(LayerErrors, OfNoSamplesAreRefused) {
  Analyzed a = analyzed({}, 4);
  a.samples.inputs[0].rows = Tensor(DType::float32, {0, 1, 6, 6});
  EXPECT_THROW(a.errors(), InputError);
  EXPECT_THROW(a.harm(), InputError);
}

}  // namespace
}  // namespace halftone::analysis
