// Cosine, largest error and relative RMS error against reference outputs, batch by batch.
#include "halftone/analysis/output_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "tests/analysis/network.h"

namespace halftone::analysis {
namespace {

// Hands on its inputs, the second one doubled.
struct Doubling : ir::Executor {
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor&) const override {
    std::vector<Tensor> outputs(inputs.begin(), inputs.end());
    if (outputs.size() > 1)
      for (float& v : outputs[1].mutable_data<float>()) v *= 2.0F;
    return outputs;
  }
};

calibration::Samples two_inputs() {
  calibration::Samples samples;
  samples.inputs.push_back({.name = "a", .rows = ir::floats({3, 2}, {1, 2, 3, 4, 5, 6})});
  samples.inputs.push_back({.name = "b", .rows = ir::floats({3, 1}, {1, -1, 3})});
  return samples;
}

TEST(OutputError, IsZeroAgainstItself) {
  const calibration::Samples samples = two_inputs();
  const std::vector<Tensor> outputs = outputs_of(Doubling(), samples, {.batch_size = 2, .threads = 2});
  EXPECT_EQ(outputs.at(0), samples.inputs[0].rows);
  const auto errors = compare_with({{0, "a", outputs[0]}, {1, "b", outputs[1]}}, Doubling(), samples, {});
  for (const OutputError& error : errors) {
    EXPECT_NEAR(error.cosine, 1.0, 1e-15);
    EXPECT_EQ(error.max_absolute, 0.0);
    EXPECT_EQ(error.relative_rms, 0.0);
  }
}

TEST(OutputError, FollowsTheFormulas) {
  for (std::int64_t batch : {1, 2, 64}) {
    const auto errors = compare_with({{1, "b", ir::floats({3}, {2, -2, 3})}}, Doubling(), two_inputs(),
                                     {.batch_size = batch, .fixed_batch = true, .threads = 2});
    ASSERT_EQ(errors.size(), 1U);
    EXPECT_EQ(errors[0].compared, 3);
    EXPECT_DOUBLE_EQ(errors[0].cosine, 26.0 / std::sqrt(44.0 * 17.0));
    EXPECT_DOUBLE_EQ(errors[0].max_absolute, 3.0);
    EXPECT_DOUBLE_EQ(errors[0].relative_rms, 3.0 / std::sqrt(17.0));
  }
}

TEST(OutputError, NamesTheOutputThatDoesNotFit) {
  const auto refuses = [](const Tensor& rows) {
    EXPECT_THROW(compare_with({{0, "a", rows}}, Doubling(), two_inputs(), {}), InputError);
  };
  refuses(ir::floats({2, 2}, {1, 2, 3, 4}));
  refuses(ir::floats({3, 1}, {1, 2, 3}));
  refuses(ir::floats({}, {1}));
}

TEST(Samples, OfInputsWithoutADimensionForThem) {
  ir::Graph graph;
  graph.add_input("tokens", DType::int64, {kDynamic, 2});
  graph.add_input("factor", DType::float32, {});
  calibration::Samples samples = calibration::samples_for(graph, {ir::floats({3, 2}, {1, 2, 3, 4, 5, 6}), ir::floats({3}, {7, 8, 9})});
  EXPECT_EQ(samples.fixed_batch, 1);
  const std::vector<Tensor> second = samples.rows(1, 2);
  EXPECT_EQ(second[0], Tensor::from<std::int64_t>({1, 2}, std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(second[1], ir::floats({}, {8}));
  samples.inputs[0].rows = ir::floats({3, 2}, {1, 2.5, 3, 4, 5, 6});
  EXPECT_THROW(samples.rows(0, 1), InputError);
}

TEST(Samples, RefuseWhatDoesNotFit) {
  ir::Graph graph;
  graph.add_input("x", DType::float32, {4, 2});
  graph.add_input("y", DType::float32, {2, 3});
  const auto refuses = [&](Shape x, Shape y) {
    EXPECT_THROW(calibration::samples_for(graph, {Tensor(DType::float32, x), Tensor(DType::float32, y)}), InputError);
  };
  refuses({8, 2}, {8, 3});     // batches of 4 and 2
  refuses({8, 2}, {8, 2, 3});  // 4 samples a run, and one
  refuses({8, 3}, {8, 2, 3});
  refuses({}, {8, 2, 3});
  refuses({7, 4, 2}, {8, 2, 3});
  EXPECT_EQ(
      calibration::samples_for(graph, {Tensor(DType::float32, {8, 4, 2}), Tensor(DType::float32, {8, 2, 3})}).fixed_batch,
      1);
}

}  // namespace
}  // namespace halftone::analysis
