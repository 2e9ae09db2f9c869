#include "halftone/models/build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ir/infer.h"
#include "halftone/ir/interpreter.h"

namespace halftone::models {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Shape shape_of(const ir::Graph& graph, std::string_view name) {
  return graph.value(graph.find(name).value()).shape;
}

std::vector<std::string> node_names(const ir::Graph& graph) {
  std::vector<std::string> names;
  for (const ir::Node& node : graph.nodes) names.push_back(node.name);
  return names;
}

std::int64_t weight_count(const ir::Graph& graph) {
  std::int64_t count = 0;
  for (const ir::Value& value : graph.values)
    if (value.constant) count += value.constant->size();
  return count;
}

TEST(Build, NamesWhatThereIs) {
  EXPECT_THAT(names(),
              ElementsAre("lenet", "lenet-bias", "mlp", "mobilenetv2", "resnet18", "squeezenet", "vgg16"));
  EXPECT_THAT(
      [] { build("resnet", 1); },
      ThrowsMessage<UsageError>(HasSubstr("got 'resnet', expected lenet, lenet-bias, mlp, mobilenetv2")));
  EXPECT_THAT([] { build("mlp", 1, {.classes = 1}); },
              ThrowsMessage<UsageError>(HasSubstr("got 1, expected 2")));
}

TEST(Build, MlpIsThreeDenseLayersWithoutBiases) {
  const ir::Graph graph = build("mlp", 1);
  EXPECT_THAT(node_names(graph), ElementsAre("flatten", "fc1", "tanh1", "fc2", "tanh2", "fc3"));
  EXPECT_EQ(shape_of(graph, "input"), (Shape{kDynamic, 1, 28, 28}));
  EXPECT_EQ(shape_of(graph, "fc1.weight"), (Shape{128, 784}));
  EXPECT_EQ(shape_of(graph, "fc2.weight"), (Shape{64, 128}));
  EXPECT_EQ(shape_of(graph, "fc3.weight"), (Shape{10, 64}));
  EXPECT_EQ(shape_of(graph, "output"), (Shape{kDynamic, 10}));
  EXPECT_EQ(weight_count(graph), 784 * 128 + 128 * 64 + 64 * 10);
}

TEST(Build, LenetHasTwoConvolutionsAndThreeDenseLayers) {
  const ir::Graph graph = build("lenet", 1);
  EXPECT_THAT(node_names(graph), ElementsAre("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "flatten",
                                             "fc1", "relu3", "fc2", "relu4", "fc3"));
  EXPECT_EQ(shape_of(graph, "conv1.weight"), (Shape{6, 3, 5, 5}));
  EXPECT_EQ(shape_of(graph, "conv2.weight"), (Shape{16, 6, 5, 5}));
  EXPECT_EQ(shape_of(graph, "flatten"), (Shape{kDynamic, 400}));
  EXPECT_EQ(shape_of(graph, "fc1.weight"), (Shape{120, 400}));
  EXPECT_EQ(shape_of(graph, "fc2.weight"), (Shape{84, 120}));
  EXPECT_EQ(weight_count(graph), 450 + 2400 + 48000 + 10080 + 840);
}

TEST(Build, LenetBiasDiffersByTheBiasOfItsLastLayer) {
  const ir::Graph plain = build("lenet", 7);
  const ir::Graph biased = build("lenet-bias", 7);
  EXPECT_EQ(weight_count(biased), weight_count(plain) + 10);
  EXPECT_EQ(biased.constant(*biased.find("fc3.bias"))->shape(), (Shape{10}));
  EXPECT_EQ(*biased.constant(*biased.find("fc3.weight")), *plain.constant(*plain.find("fc3.weight")));
}

// All but vgg16, which takes half a gigabyte.
std::vector<std::string> light_names() {
  std::vector<std::string> light = names();
  std::erase(light, "vgg16");
  return light;
}

TEST(Build, TheNumberOfClassesIsTheNumberOfOutputs) {
  for (const std::string& name : light_names())
    EXPECT_EQ(shape_of(build(name, 1, {.classes = 7}), "output"), (Shape{kDynamic, 7})) << name;
}

TEST(Build, EveryNetworkChecks) {
  for (const std::string& name : light_names()) {
    const ir::Graph graph = build(name, 3);
    EXPECT_EQ(graph.name, name);
    EXPECT_NO_THROW(ir::check(graph)) << name;
  }
}

TEST(Build, TheSmallNetworksRun) {
  for (const char* name : {"lenet", "lenet-bias", "mlp"}) {
    const ir::Graph graph = build(name, 3);
    Shape shape = shape_of(graph, "input");
    shape[0] = 2;
    const std::vector<Tensor> inputs{Tensor(DType::float32, shape)};
    EXPECT_EQ(ir::Interpreter(graph).run(inputs).at(0).shape(), (Shape{2, 10})) << name;
  }
}

// Every constant, in order.
std::vector<Tensor> constants(const ir::Graph& graph) {
  std::vector<Tensor> all;
  for (const ir::Value& value : graph.values)
    if (value.constant) all.push_back(*value.constant);
  return all;
}

TEST(Build, TheSeedDecidesTheWeights) {
  for (const std::string& name : light_names()) {
    const std::vector<Tensor> first = constants(build(name, 1));
    EXPECT_EQ(first, constants(build(name, 1))) << name;
    EXPECT_NE(first, constants(build(name, 2))) << name;
  }
}

}  // namespace
}  // namespace halftone::models
