#include "halftone/qat/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "halftone/base/error.h"
#include "halftone/data/digits.h"
#include "halftone/data/preprocessing.h"
#include "halftone/models/build.h"
#include "tests/qat/random_tensor.h"

namespace halftone::qat {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

using Rows = Examples;

const Examples kNone;
const Ranks kAlone;

ir::Graph train(const ir::Graph& graph, const Tensor& images, const std::vector<std::int32_t>& labels, const TrainOptions& options, const ProgressFn& progress = {}) {
  const Examples rows{images, labels};
  return train({graph, rows, kNone, kNone, kAlone}, options, {.progress = progress, .stop = {}, .keeping = {}, .resumed = {}}).graph;
}

// Two clouds of points, told apart by the sign of their first coordinate.
Rows two_clouds(std::int64_t count) {
  std::mt19937_64 random(3);
  Rows rows{random_tensor({count, 4}, random), {}};
  for (std::int64_t i = 0; i < count; ++i)
    rows.labels.push_back(rows.images.data<float>()[static_cast<std::size_t>(i * 4)] > 0 ? 1 : 0);
  return rows;
}

// x → (BatchNormalization) → Gemm → Softmax.
ir::Graph small_graph(const std::vector<float>& weights = {0.1F, 0, 0, 0, 0, 0, 0, 0.1F}) {
  const auto vector = [](float value) { return Tensor::from<float>({4}, std::vector<float>(4, value)); };
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::float32, {kDynamic, 4});
  const std::vector<ir::ValueId> statistics{
      x, graph.add_constant("scale", vector(1)), graph.add_constant("shift", vector(0)),
      graph.add_constant("mean", vector(0.1F)), graph.add_constant("var", vector(2))};
  const ir::ValueId normal = graph.add_node(ir::BatchNormalization{}, statistics, "normal");
  const ir::ValueId weight = graph.add_constant("weight", Tensor::from<float>({2, 4}, weights));
  const ir::ValueId logits = graph.add_node(ir::Gemm{.trans_b = true}, {normal, weight}, "logits");
  graph.outputs = {graph.add_node(ir::Softmax{}, {logits}, "y")};
  return graph;
}

const Tensor& constant(const ir::Graph& graph, std::string_view name) {
  return *graph.constant(graph.find(name).value());
}

const TrainOptions kQuick{
    .epochs = 3, .batch_size = 8, .learning_rate = 0.05, .weight_decay = 0, .label_smoothing = 0};

TEST(Train, LowersTheLossAndReportsIt) {
  const Rows rows = two_clouds(100);
  std::vector<TrainProgress> reports;
  train(small_graph(), rows.images, rows.labels, kQuick,
        [&](const TrainProgress& p) { reports.push_back(p); });
  ASSERT_EQ(reports.size(), 3u * 13);
  std::vector<EpochReport> epochs;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    EXPECT_DOUBLE_EQ(reports[i].fraction, static_cast<double>(i + 1) / 39);
    if (reports[i].epoch_ended) epochs.push_back(reports[i].report);
  }
  ASSERT_EQ(epochs.size(), 3u);
  EXPECT_EQ(epochs[2].epoch, 3);
  EXPECT_EQ(epochs[2].epochs, 3);
  EXPECT_LT(epochs[2].loss, epochs[0].loss / 1.5);
  EXPECT_GT(epochs[2].accuracy, 0.9);
  EXPECT_LE(epochs[2].accuracy, 1.0);
  EXPECT_GE(epochs[2].seconds, epochs[0].seconds);
}

TEST(Train, ChangesWeightsAndNothingElse) {
  const Rows rows = two_clouds(40);
  ir::Graph graph = small_graph();
  graph.metadata["key"] = "kept";
  const ir::Graph trained = train(graph, rows.images, rows.labels, kQuick);
  for (const char* name : {"weight", "scale", "shift"})
    EXPECT_NE(constant(trained, name), constant(graph, name)) << name;
  for (const char* name : {"mean", "var"}) EXPECT_EQ(constant(trained, name), constant(graph, name)) << name;
  ASSERT_EQ(trained.nodes.size(), graph.nodes.size());
  EXPECT_EQ(trained.values.size(), graph.values.size());
  EXPECT_EQ(trained.outputs, graph.outputs);
  EXPECT_EQ(trained.metadata, graph.metadata);
}

TEST(Train, DecayMakesWeightsSmallerAndLeavesNormalizationAlone) {
  const auto squares = [](const Tensor& tensor) {
    const auto values = tensor.data<float>();
    return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
  };
  const Rows rows = two_clouds(8);
  TrainOptions options = kQuick;
  options.epochs = 1;  // one step: the gradients are the same
  const ir::Graph plain = train(small_graph(), rows.images, rows.labels, options);
  options.weight_decay = 1;
  const ir::Graph decayed = train(small_graph(), rows.images, rows.labels, options);
  EXPECT_LT(squares(constant(decayed, "weight")), squares(constant(plain, "weight")));
  EXPECT_EQ(constant(decayed, "scale"), constant(plain, "scale"));
}

TEST(Train, ABatchMayBeLargerThanTheSet) {
  const Rows rows = two_clouds(8);
  TrainOptions options = kQuick;
  options.batch_size = std::numeric_limits<std::int64_t>::max();
  int calls = 0;
  train(small_graph(), rows.images, rows.labels, options, [&](const TrainProgress&) { ++calls; });
  EXPECT_EQ(calls, 3);
}

TEST(Train, SameSeedSameBytes) {
  const data::Dataset digits = data::make_digits(data::Part::train, 300);
  const Tensor images = data::apply(data::preset("mnist"), digits.images);
  const ir::Graph graph = models::build("mlp", 1);
  for (int threads : {1, 2}) {
    TrainOptions options{.epochs = 2, .threads = threads};
    const ir::Graph first = train(graph, images, digits.labels, options);
    const ir::Graph again = train(graph, images, digits.labels, options);
    options.seed = 2;
    const ir::Graph other = train(graph, images, digits.labels, options);
    for (const char* name : {"fc1.weight", "fc2.weight", "fc3.weight"}) {
      EXPECT_EQ(constant(first, name), constant(again, name)) << name;
      EXPECT_NE(constant(first, name), constant(other, name)) << name;
    }
  }
}

TEST(Train, TrainsConvolutionsTheSameTwice) {
  std::mt19937_64 random(4);
  const Tensor images = random_tensor({50, 3, 32, 32}, random);
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 50; ++i) labels.push_back(i % 10);
  const ir::Graph graph = models::build("lenet-bias", 1);
  const TrainOptions options{.epochs = 2, .batch_size = 16};
  const ir::Graph first = train(graph, images, labels, options);
  const ir::Graph again = train(graph, images, labels, options);
  for (const char* name : {"conv1.weight", "conv2.weight", "fc3.bias"}) {
    EXPECT_EQ(constant(first, name), constant(again, name)) << name;
    EXPECT_NE(constant(first, name), constant(graph, name)) << name;
  }
}

TEST(Train, ASoftmaxAtTheEndChangesNothing) {
  const Rows rows = two_clouds(40);
  ir::Graph without = small_graph();
  without.outputs = {without.find("logits").value()};
  EXPECT_EQ(constant(train(small_graph(), rows.images, rows.labels, kQuick), "weight"),
            constant(train(without, rows.images, rows.labels, kQuick), "weight"));
}

TEST(Train, LeavesAloneWhatTheFirstOutputDoesNotNeed) {
  const Rows rows = two_clouds(40);
  ir::Graph graph = small_graph();
  const ir::ValueId scale = graph.add_constant("side.scale", Tensor::from<float>({}, std::vector{0.5F}));
  graph.outputs.push_back(
      graph.add_node(ir::QuantizeLinear{}, {graph.find("logits").value(), scale}, "side"));
  const ir::Graph trained = train(graph, rows.images, rows.labels, kQuick);
  EXPECT_NE(constant(trained, "weight"), constant(graph, "weight"));
  EXPECT_EQ(constant(trained, "side.scale"), constant(graph, "side.scale"));
}

TEST(Train, NamesTheNodeThatCannotBeTrained) {
  const Rows rows = two_clouds(8);
  ir::Graph graph = small_graph();
  const ir::ValueId scale = graph.add_constant("s", Tensor::from<float>({}, std::vector{0.5F}));
  const ir::ValueId q =
      graph.add_node(ir::QuantizeLinear{}, {graph.find("logits").value(), scale}, "logits.quantized");
  graph.outputs = {graph.add_node(ir::DequantizeLinear{}, {q, scale}, "back")};
  int calls = 0;
  EXPECT_THAT([&] { train(graph, rows.images, rows.labels, kQuick, [&](const TrainProgress&) { ++calls; }); },
              ThrowsMessage<UnsupportedError>(HasSubstr("QuantizeLinear 'logits.quantized'")));
  EXPECT_EQ(calls, 0);
}

TEST(Train, RefusesRowsThatDoNotFit) {
  Rows rows = two_clouds(8);
  const auto message = [&] {
    try {
      train(small_graph(), rows.images, rows.labels, kQuick);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  rows.labels[5] = 2;
  EXPECT_EQ(message(), "[train] label of row 5, got 2, expected 0 to 1");
  rows.labels.pop_back();
  EXPECT_THAT(message(), HasSubstr("8 images and 7 labels"));
  rows.images = Tensor(DType::float32, {8, 5});
  EXPECT_THAT(message(), AllOf(HasSubstr("8x5"), HasSubstr("Nx4")));
  rows.images = Tensor(DType::float32, {0, 4});
  rows.labels.clear();
  EXPECT_THAT(message(), HasSubstr("0 images"));
}

TEST(Train, RefusesGraphsOfAnotherKind) {
  const Rows rows = two_clouds(8);
  const auto expect_unsupported = [&](const ir::Graph& graph, std::string_view message) {
    EXPECT_THAT([&] { train(graph, rows.images, rows.labels, kQuick); },
                ThrowsMessage<UnsupportedError>(HasSubstr(std::string(message))));
  };
  ir::Graph fixed;
  const ir::ValueId x = fixed.add_input("x", DType::float32, {1, 4});
  fixed.outputs = {fixed.add_node(ir::Relu{}, {x}, "y")};
  expect_unsupported(fixed, "input 'x', got float32 1x4, expected float32 with a dynamic batch");
  ir::Graph vector;
  vector.outputs = {vector.add_node(ir::Relu{}, {vector.add_input("x", DType::float32, {kDynamic})}, "y")};
  expect_unsupported(vector, "output 'y', got float32 N, expected float32 [N, classes]");
}

TEST(Train, RefusesAGraphWithoutWeights) {
  const Rows rows = two_clouds(8);
  ir::Graph graph;
  graph.outputs = {graph.add_node(ir::Relu{}, {graph.add_input("x", DType::float32, {kDynamic, 4})}, "y")};
  EXPECT_THROW(train(graph, rows.images, rows.labels, kQuick), UsageError);
}

TEST(Train, RefusesOptionsOutOfRange) {
  const Rows rows = two_clouds(8);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const TrainOptions bad[] = {
      {.epochs = 0},           {.batch_size = 0},        {.learning_rate = 0},  {.learning_rate = nan},
      {.learning_rate = 1e38}, {.weight_decay = -1},     {.weight_decay = nan}, {.weight_decay = 1e38},
      {.label_smoothing = 1},  {.label_smoothing = nan}, {.threads = 0}};
  for (const TrainOptions& options : bad)
    EXPECT_THROW(train(small_graph(), rows.images, rows.labels, options), UsageError);
}

TEST(Train, SaysWhenTheLossIsNoNumber) {
  Rows rows = two_clouds(64);
  std::ranges::fill(rows.images.mutable_data<float>(), std::numeric_limits<float>::infinity());
  EXPECT_THAT([&] { train(small_graph(), rows.images, rows.labels, kQuick); },
              ThrowsMessage<UsageError>(HasSubstr("loss of epoch 1, step 1 is not finite")));
}

}  // namespace
}  // namespace halftone::qat
