// The range table depends on the samples alone.
#include "halftone/quant/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::quant {
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

TEST(Calibrate, GivesTheSameTableForAnyBatchesAndThreads) {
  const ir::Interpreter interpreter(network());
  for (std::int64_t rows : {1, 2, 63, 64, 65, 129}) {
    const Tensor samples = ir::random_floats({rows, 3}, 3);
    const RangeTable whole = calibrate(interpreter, samples, {.batch_size = rows});
    for (std::int64_t batch : {1, 3, 64})
      for (int threads : {1, 2})
        EXPECT_EQ(calibrate(interpreter, samples, {.batch_size = batch, .threads = threads}), whole)
            << rows << " " << batch;
  }
}

TEST(Calibrate, HasTheRangeOfEveryFloatValue) {
  const ir::Interpreter interpreter(network());
  const Tensor samples = ir::random_floats({50, 3}, 3);
  std::map<std::string, std::pair<float, float>, std::less<>> expected;
  interpreter.run({&samples, 1}, [&](std::string_view name, Tensor& value) {
    const auto [lo, hi] = std::ranges::minmax(value.data<float>());
    expected[std::string(name)] = {lo, hi};
  });
  const RangeTable table = calibrate(interpreter, samples, {.batch_size = 7});
  ASSERT_EQ(table.size(), 3u);
  for (const auto& [name, range] : table) {
    EXPECT_EQ(range.lo, expected.at(name).first) << name;
    EXPECT_EQ(range.hi, expected.at(name).second) << name;
  }
}

TEST(Calibrate, NamesTheValueThatIsNotFinite) {
  const ir::Interpreter interpreter(network());
  for (float bad : {NAN, INFINITY}) {
    Tensor samples = ir::random_floats({9, 3}, 3);
    samples.mutable_data<float>()[20] = bad;
    for (int threads : {1, 2}) {
      try {
        calibrate(interpreter, samples, {.batch_size = 2, .threads = threads});
        ADD_FAILURE() << "nothing was thrown";
      } catch (const InputError& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("[x]"));
      }
    }
  }
  // Finite samples whose sum overflows: the layer is named, not the input.
  const Tensor large = ir::floats({1, 3}, {3e38F, 3e38F, 3e38F});
  try {
    calibrate(interpreter, large, {});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("[y]"));
  }
}

TEST(Calibrate, NeedsSamples) {
  const ir::Interpreter interpreter(network());
  EXPECT_THROW(calibrate(interpreter, Tensor(DType::float32, {0, 3}), {}), InputError);
  EXPECT_THROW(calibrate(interpreter, Tensor(DType::float32, {}), {}), InputError);
  EXPECT_THROW(calibrate(interpreter, Tensor(DType::float32, {2, 4}), {}), InputError);
}

TEST(Calibrate, ReportsProgressUpToOne) {
  std::vector<double> seen;
  calibrate(ir::Interpreter(network()), ir::random_floats({10, 3}, 1),
            {.batch_size = 3, .progress = [&](double done) { seen.push_back(done); }});
  EXPECT_EQ(seen, (std::vector<double>{0.25, 0.5, 0.75, 1.0}));
}

}  // namespace
}  // namespace halftone::quant
