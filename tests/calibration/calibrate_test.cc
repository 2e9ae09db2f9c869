// The range table depends on the samples alone.
#include "halftone/calibration/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"
#include "tests/quant/ranges.h"

namespace halftone::calibration {
namespace {

ir::Graph network() {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 3});
  const ir::ValueId y = g.add_node(
      ir::Gemm{},
      {x, g.add_constant("w", ir::random_floats({3, 4}, 1)), g.add_constant("b", ir::random_floats({4}, 2))},
      "y");
  g.outputs = {g.add_node(ir::Relu{}, {y}, "z")};
  return g;
}

TEST(Calibrate, GivesTheSameTableForAnyThreads) {
  for (std::int64_t rows : {1, 2, 63, 64, 65, 129}) {
    const Tensor samples = ir::random_floats({rows, 3}, 3);
    for (std::int64_t batch : {1, 3, 64}) {
      const StatisticsTable one = quant::statistics_of(network(), samples, {.batch_size = batch});
      for (int threads : {2, 3})
        EXPECT_EQ(quant::statistics_of(network(), samples, {.batch_size = batch, .threads = threads}), one)
            << rows << " " << batch;
    }
  }
}

TEST(Calibrate, OfShardsIsThatOfTheWhole) {
  const Tensor samples = ir::random_floats({40, 3}, 3);
  Statistics merged;
  for (std::int64_t shard : {2, 0, 3, 1}) {
    const StatisticsTable part = quant::statistics_of(network(), samples.rows(10 * shard, 10 * shard + 10));
    merged.merge(part.at("z"));
  }
  EXPECT_EQ(merged.histogram(), quant::statistics_of(network(), samples).at("z").histogram());
}

TEST(Calibrate, HasTheRangeOfEveryQuantizedValue) {
  const ir::Interpreter interpreter(network());
  const Tensor samples = ir::random_floats({50, 3}, 3);
  std::map<std::string, std::pair<float, float>, std::less<>> expected;
  interpreter.run({&samples, 1}, [&](std::string_view name, Tensor& value) {
    const auto [lo, hi] = std::ranges::minmax(value.data<float>());
    expected[std::string(name)] = {lo, hi};
  });
  const quant::RangeTable table = quant::ranges_on(network(), samples);
  ASSERT_EQ(table.size(), 2u);  // the Relu ends the Gemm
  for (const auto& [name, range] : table) {
    EXPECT_EQ(range.lo, expected.at(name).first) << name;
    EXPECT_EQ(range.hi, expected.at(name).second) << name;
  }
}

TEST(Calibrate, NamesTheValueThatIsNotFinite) {
  for (float bad : {NAN, INFINITY}) {
    Tensor samples = ir::random_floats({9, 3}, 3);
    samples.mutable_data<float>()[20] = bad;
    for (int threads : {1, 2}) {
      try {
        quant::statistics_of(network(), samples, {.batch_size = 2, .threads = threads});
        ADD_FAILURE() << "nothing was thrown";
      } catch (const InputError& error) {
        EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("[x]"), testing::HasSubstr("sample 3")));
      }
    }
  }
  // Finite samples whose sum overflows: the layer is named, not the input.
  const Tensor large = ir::floats({1, 3}, {3e38F, 3e38F, 3e38F});
  try {
    quant::statistics_of(network(), large);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("[z]"));
  }
}

TEST(Calibrate, NeedsSamples) {
  EXPECT_THROW(quant::statistics_of(network(), Tensor(DType::float32, {0, 3})), InputError);
  EXPECT_THROW(quant::statistics_of(network(), Tensor(DType::float32, {})), InputError);
  EXPECT_THROW(quant::statistics_of(network(), Tensor(DType::float32, {2, 4})), InputError);
}

TEST(Calibrate, ReportsProgressUpToOne) {
  std::vector<double> seen;
  quant::statistics_of(network(), ir::random_floats({10, 3}, 1),
                {.batch_size = 3, .progress = [&](double done) { seen.push_back(done); }});
  EXPECT_EQ(seen, (std::vector<double>{0.25, 0.5, 0.75, 1.0}));
}

}  // namespace
}  // namespace halftone::calibration
