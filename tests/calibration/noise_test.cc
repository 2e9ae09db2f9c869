// Noise for networks: shapes, types, and that it is the same every time.
#include "halftone/calibration/noise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/calibration/samples.h"

namespace halftone::calibration {
namespace {

using testing::ElementsAre;

ir::Graph graph_with(const std::vector<std::pair<DType, Shape>>& inputs) {
  ir::Graph graph;
  for (const auto& [dtype, shape] : inputs) graph.add_input("x" + std::to_string(graph.inputs.size()), dtype, shape);
  return graph;
}

Samples samples_of_noise(const ir::Graph& graph, std::int64_t rows, std::uint64_t seed = 1) {
  std::vector<Tensor> arrays;
  for (const data::StoredArray& array : noise_for(graph, rows, seed)) {
    arrays.push_back(array.read());
    EXPECT_EQ(arrays.back().shape(), array.shape);
  }
  return samples_for(graph, std::move(arrays));
}

TEST(Noise, OfFloatsIsNormal) {
  const Samples samples = samples_of_noise(graph_with({{DType::float32, {kDynamic, 3, 20, 20}}}), 16);
  EXPECT_THAT(samples.inputs[0].rows.shape(), ElementsAre(16, 3, 20, 20));
  EXPECT_FALSE(samples.fixed_batch);
  double sum = 0.0;
  double squares = 0.0;
  for (float v : samples.inputs[0].rows.data<float>()) {
    sum += v;
    squares += double{v} * v;
  }
  const auto count = static_cast<double>(samples.inputs[0].rows.size());
  EXPECT_NEAR(sum / count, 0.0, 0.03);
  EXPECT_NEAR(std::sqrt(squares / count), 1.0, 0.03);
}

TEST(Noise, OfEachInputIsItsOwnAndTheSameForASeed) {
  const ir::Graph graph = graph_with({{DType::float32, {kDynamic, 5}}, {DType::float32, {kDynamic, 5}}});
  const Samples samples = samples_of_noise(graph, 4);
  EXPECT_NE(samples.inputs[0].rows, samples.inputs[1].rows);
  EXPECT_EQ(samples.inputs[0].rows, samples_of_noise(graph, 4).inputs[0].rows);
  EXPECT_NE(samples.inputs[0].rows, samples_of_noise(graph, 4, 2).inputs[0].rows);
}

TEST(Noise, OfIntegersIsBytesOrIndices) {
  const ir::Graph graph = graph_with({{DType::int64, {kDynamic, 64}}, {DType::uint8, {kDynamic, 64}}, {DType::boolean, {kDynamic, 64}}});
  const Samples samples = samples_of_noise(graph, 8);
  for (std::int64_t v : samples.inputs[0].rows.data<std::int64_t>()) EXPECT_TRUE(v == 0 || v == 1);
  const auto bytes = samples.inputs[1].rows.data<std::uint8_t>();
  EXPECT_LT(*std::ranges::min_element(bytes), 16);
  EXPECT_GT(*std::ranges::max_element(bytes), 239);
  EXPECT_EQ(samples.inputs[2].rows.dtype(), DType::boolean);
}

TEST(Noise, FitsBatchesThatAreFixed) {
  EXPECT_EQ(samples_of_noise(graph_with({{DType::float32, {7, 3}}, {DType::float32, {7}}}), 10).fixed_batch, 7);
  const Samples whole = samples_of_noise(graph_with({{DType::float32, {1, 3}}, {DType::float32, {4, 2}}, {DType::float32, {}}}), 10);
  EXPECT_EQ(whole.fixed_batch, 1);
  EXPECT_THAT(whole.rows(3, 4).at(1).shape(), ElementsAre(4, 2));
  EXPECT_THAT(whole.rows(3, 4).at(2).shape(), ElementsAre());
}

TEST(Noise, WantsSizes) {
  EXPECT_THROW(noise_for(graph_with({{DType::float32, {kDynamic, 3, kDynamic}}}), 4, 1), InputError);
}

}  // namespace
}  // namespace halftone::calibration
