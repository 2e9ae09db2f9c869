// Samples that are unfit to choose ranges on.
#include "halftone/analysis/calibration_doubts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/analysis/network.h"

namespace halftone::analysis {
namespace {

using testing::HasSubstr;

ir::Graph network() {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 4});
  const ir::ValueId y = g.add_node(ir::Gemm{}, {x, g.add_constant("w", ir::random_floats({4, 3}, 5))}, "y");
  g.outputs = {g.add_node(ir::Relu{}, {y}, "z")};
  return g;
}

calibration::Samples samples_from_rows(const Tensor& rows) {
  calibration::Samples samples{.name = "set"};
  samples.inputs.push_back({.name = "x", .rows = rows});
  return samples;
}

std::vector<Doubt> doubts(const Tensor& rows) {
  const calibration::Samples samples = samples_from_rows(rows);
  const calibration::StatisticsTable seen = quant::statistics_of(network(), rows);
  std::vector<Doubt> all = doubts_of_samples(samples, seen);
  for (Doubt& doubt : doubts_of_values(network(), samples, seen, {.threads = 2}, [](const ir::Graph& g) {
         return std::make_unique<ir::Interpreter>(g);
       }))
    all.push_back(std::move(doubt));
  return all;
}

TEST(CalibrationDoubts, AreNoneOfOrdinarySamples) { EXPECT_TRUE(doubts(ir::random_floats({40, 4}, 3)).empty()); }

TEST(CalibrationDoubts, NameFewSamples) {
  EXPECT_TRUE(doubts(ir::random_floats({32, 4}, 3)).empty());
  const auto found = doubts(ir::random_floats({31, 4}, 3));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, "set");
  EXPECT_THAT(found[0].what, HasSubstr("31 samples"));
}

TEST(CalibrationDoubts, NameConstantSamples) {
  Tensor rows(DType::float32, {40, 4});
  auto found = doubts(rows);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].where, "input 'x'");
  EXPECT_THAT(found[0].what, HasSubstr("every number of all 40 samples is 0"));
  for (float& v : rows.mutable_data<float>()) v = 2.5F;
  found = doubts(rows);
  ASSERT_FALSE(found.empty());
  EXPECT_THAT(found[0].what, HasSubstr("is 2.5"));
}

TEST(CalibrationDoubts, NameSamplesThatAreTheSame) {
  Tensor rows(DType::float32, {40, 4});
  for (std::size_t i = 0; i < 160; ++i) rows.mutable_data<float>()[i] = static_cast<float>(i % 4) - 1.0F;
  const auto found = doubts(rows);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].what, HasSubstr("all 40 samples are the same"));
}

TEST(CalibrationDoubts, NameTheSampleThatHoldsTheRangeAlone) {
  for (const float outlier : {5000.0F, -5000.0F}) {
    Tensor rows = ir::random_floats({40, 4}, 3);
    rows.mutable_data<float>()[17 * 4 + 2] = outlier;
    const auto found = doubts(rows);
    ASSERT_FALSE(found.empty());
    EXPECT_THAT(found[0].what, HasSubstr("sample 17 alone"));
    EXPECT_EQ(found[0].where, "value 'x'");
  }
  // Ten times as wide as the others is no more than a large sample.
  Tensor rows = ir::random_floats({40, 4}, 3);
  rows.mutable_data<float>()[17 * 4 + 2] = 40.0F;
  EXPECT_TRUE(doubts(rows).empty());
}

TEST(CalibrationDoubts, NameTheBatchWhereItsSizeIsFixed) {
  const auto found = [](std::int64_t batch) {
    Tensor rows = ir::random_floats({40, 4}, 3);
    rows.mutable_data<float>()[17 * 4 + 2] = 5000.0F;
    return doubts_of_values(network(), samples_from_rows(rows), quant::statistics_of(network(), rows),
                            {.batch_size = batch, .fixed_batch = true},
                            [](const ir::Graph& g) { return std::make_unique<ir::Interpreter>(g); });
  };
  ASSERT_FALSE(found(8).empty());
  EXPECT_THAT(found(8)[0].what, HasSubstr("batch 2 alone"));
  EXPECT_TRUE(found(40).empty());  // nothing to compare the only batch with
}

TEST(CalibrationDoubts, NameValuesThatAreAlwaysZero) {
  Tensor rows = ir::random_floats({40, 4}, 3);
  ir::Graph dead;
  const ir::ValueId x = dead.add_input("x", DType::float32, {kDynamic, 4});
  const ir::ValueId low = dead.add_node(ir::Gemm{},
                                        {x, dead.add_constant("w", ir::floats({4, 1}, {0, 0, 0, 0})),
                                         dead.add_constant("b", ir::floats({1}, {-1}))},
                                        "low");
  dead.outputs = {dead.add_node(ir::Relu{}, {low}, "dead")};
  const auto found = doubts_of_values(dead, samples_from_rows(rows), quant::statistics_of(dead, rows), {},
                                      [](const ir::Graph& g) { return std::make_unique<ir::Interpreter>(g); });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, "value 'dead'");
}

}  // namespace
}  // namespace halftone::analysis
