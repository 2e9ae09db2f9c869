// The harm of one layer alone, and of each part of it.
#include "halftone/analysis/sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/analysis/evaluate.h"
#include "halftone/ir/infer.h"
#include "tests/analysis/analyzed.h"

namespace halftone::analysis {
namespace {

constexpr numeric::Range kSixtyFourths{-2.0, 127.0 / 64.0};
constexpr LayerParts kWhole{true, true, true, true};

TEST(MixedNetwork, IsAWellFormedGraphOfTheSameInputsAndOutputs) {
  const Analyzed a = analyzed({}, 8);
  for (std::size_t layer = 0; layer < a.models.layers.size(); ++layer)
    for (const LayerParts& parts : {LayerParts{}, LayerParts{.weights = true}, LayerParts{.activation = true},
                                    LayerParts{.bias = true}, LayerParts{.requantization = true}, kWhole}) {
      const ir::Graph mixed = mixed_network(a.models, layer, parts);
      ir::check(mixed);
      EXPECT_EQ(mixed.inputs.size(), 1U);
      const std::size_t pairs =
          2 * (static_cast<std::size_t>(parts.activation) + static_cast<std::size_t>(parts.requantization));
      EXPECT_EQ(mixed.nodes.size(), a.models.real.nodes.size() + pairs);
    }
}

TEST(MixedNetwork, OfTheOnlyLayerIsTheQuantizedNetwork) {
  const Analyzed a = one_gemm({1.0F, 0.3F, -0.7F, 0.9F}, {0.1F, -0.3F}, {0.33F, 0.5F, -0.7F, 1.1F},
                              kSixtyFourths, kSixtyFourths);
  const std::vector<Tensor> x{a.samples.inputs[0].rows};
  EXPECT_EQ(plainly(mixed_network(a.models, 0, kWhole))->run(x).at(0), plainly(a.quantized)->run(x).at(0));
}

TEST(Harm, OfWeightsAndBiasOnTheGridIsNone) {
  const float unit = 1.0F / 128.0F;
  const Analyzed a = one_gemm({127 * unit, -64 * unit, 3 * unit, 127 * unit}, {0.25F, -0.5F},
                              {1.0F, 0.5F, -0.25F, 0.75F}, kSixtyFourths, kSixtyFourths);
  const LayerHarm harm = a.harm().layers.at(0);
  EXPECT_EQ(harm.weights.output_error, 0.0);
  EXPECT_EQ(harm.bias.output_error, 0.0);
  EXPECT_EQ(harm.activation.output_error, 0.0);  // the samples are on the grid too
  EXPECT_GT(harm.requantization.output_error, 0.0);
  EXPECT_EQ(harm.whole, harm.requantization);
  EXPECT_FALSE(harm.whole.accuracy_drop.has_value());
}

TEST(Harm, OfWeightsAloneIsTheirErrorWhereInputsAreUnits) {
  const Analyzed a = one_gemm({1.0F, 0.3F, -0.7F, 0.9F}, {0, 0}, {1, 0, 0, 1}, kSixtyFourths, kSixtyFourths);
  EXPECT_DOUBLE_EQ(a.harm().layers.at(0).weights.output_error,
                   a.errors().weights.at(0).signal.relative_rms());
}

TEST(Harm, IsWhatTheMixedNetworkLoses) {
  const Analyzed a = analyzed();
  const Sensitivity harm = a.harm();
  const double real = evaluate(*plainly(a.real), a.samples, {}).percent();
  EXPECT_DOUBLE_EQ(harm.real_accuracy.value(), real);
  EXPECT_DOUBLE_EQ(harm.quantized_accuracy.value(), evaluate(*plainly(a.quantized), a.samples, {}).percent());
  EXPECT_EQ(harm.samples, 40);
  for (std::size_t layer = 0; layer < a.models.layers.size(); ++layer) {
    const auto mixed = plainly(mixed_network(a.models, layer, kWhole));
    EXPECT_NEAR(harm.layers[layer].whole.accuracy_drop.value(),
                real - evaluate(*mixed, a.samples, {}).percent(), 1e-9);
    const Tensor y = mixed->run(a.samples.rows(0, 40)).at(0);
    const Tensor r = plainly(a.real)->run(a.samples.rows(0, 40)).at(0);
    EXPECT_NEAR(harm.layers[layer].whole.output_error, signal_sums(r, y).relative_rms(), 1e-12);
  }
}

TEST(Harm, IsTheSameForAnyNumberOfThreads) {
  const Analyzed a = analyzed();
  const Sensitivity one = a.harm({.batch_size = 3, .threads = 1});
  const Sensitivity two = a.harm({.batch_size = 3, .threads = 2});
  EXPECT_EQ(one.layers, two.layers);
  EXPECT_EQ(one.network, two.network);
}

TEST(Harm, OfMoreSamplesThanARoundAddsUp) {
  const Analyzed a = analyzed({}, 530);
  const Sensitivity small = a.harm({.batch_size = 7});
  const Sensitivity large = a.harm({.batch_size = 530});
  EXPECT_EQ(small.real_accuracy, large.real_accuracy);
  for (std::size_t i = 0; i < small.layers.size(); ++i)
    EXPECT_NEAR(small.layers[i].whole.output_error, large.layers[i].whole.output_error, 1e-12);
}

TEST(Harm, ReportsHowFarItIs) {
  const Analyzed a = analyzed();
  std::vector<double> seen;
  a.harm({.batch_size = 8, .progress = [&](double done) { seen.push_back(done); }});
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_DOUBLE_EQ(seen.back(), 1.0);
}

}  // namespace
}  // namespace halftone::analysis
