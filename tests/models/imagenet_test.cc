// The networks for 224x224 images have the layers and the parameters of torchvision's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/models/build.h"

namespace halftone::models {
namespace {

// Numbers that training would change: all constants but the statistics of normalizations.
std::int64_t trainable_parameters(const ir::Graph& graph) {
  std::int64_t count = 0;
  for (const ir::Value& value : graph.values)
    if (value.constant && value.name.find(".running_") == std::string::npos) count += value.constant->size();
  return count;
}

template <typename Op>
std::int64_t count(const ir::Graph& graph) {
  return std::ranges::count_if(graph.nodes,
                               [](const ir::Node& node) { return std::holds_alternative<Op>(node.op); });
}

Shape shape_of(const ir::Graph& graph, std::string_view name) {
  return graph.value(graph.find(name).value()).shape;
}

void expect_image_network(const ir::Graph& graph) {
  EXPECT_EQ(shape_of(graph, "input"), (Shape{kDynamic, 3, 224, 224}));
  EXPECT_EQ(shape_of(graph, "output"), (Shape{kDynamic, 1000}));
}

TEST(ImageNetworks, Resnet18) {
  const ir::Graph graph = build("resnet18", 1);
  expect_image_network(graph);
  EXPECT_EQ(trainable_parameters(graph), 11'689'512);
  EXPECT_EQ(count<ir::Conv>(graph), 20);
  EXPECT_EQ(count<ir::BatchNormalization>(graph), 20);
  EXPECT_EQ(count<ir::Add>(graph), 8);
  EXPECT_EQ(shape_of(graph, "conv1"), (Shape{kDynamic, 64, 112, 112}));
  EXPECT_EQ(shape_of(graph, "maxpool"), (Shape{kDynamic, 64, 56, 56}));
  EXPECT_EQ(shape_of(graph, "layer2.0.downsample.0"), (Shape{kDynamic, 128, 28, 28}));
  EXPECT_EQ(shape_of(graph, "layer4.1.relu2"), (Shape{kDynamic, 512, 7, 7}));
  EXPECT_FALSE(graph.find("layer1.0.downsample.0"));
}

TEST(ImageNetworks, Mobilenetv2) {
  const ir::Graph graph = build("mobilenetv2", 1);
  expect_image_network(graph);
  EXPECT_EQ(trainable_parameters(graph), 3'504'872);
  EXPECT_EQ(count<ir::Conv>(graph), 52);
  EXPECT_EQ(count<ir::Add>(graph), 10);
  EXPECT_EQ(shape_of(graph, "block2.depthwise.weight"), (Shape{96, 1, 3, 3}));
  EXPECT_EQ(shape_of(graph, "block17.project"), (Shape{kDynamic, 320, 7, 7}));
}

TEST(ImageNetworks, Squeezenet) {
  const ir::Graph graph = build("squeezenet", 1);
  expect_image_network(graph);
  EXPECT_EQ(trainable_parameters(graph), 1'235'496);
  EXPECT_EQ(shape_of(graph, "pool1"), (Shape{kDynamic, 64, 55, 55}));
  EXPECT_EQ(shape_of(graph, "fire9.concat"), (Shape{kDynamic, 512, 13, 13}));
}

TEST(ImageNetworks, Vgg16) {
  const ir::Graph graph = build("vgg16", 1);
  expect_image_network(graph);
  EXPECT_EQ(trainable_parameters(graph), 138'357'544);
  EXPECT_EQ(count<ir::Conv>(graph), 13);
  EXPECT_EQ(shape_of(graph, "flatten"), (Shape{kDynamic, 25088}));
}

TEST(ImageNetworks, StatisticsAreNearToTheIdentity) {
  const ir::Graph graph = build("mobilenetv2", 5);
  for (const ir::Value& value : graph.values) {
    if (!value.constant || !value.name.ends_with(".running_var")) continue;
    for (const float variance : value.constant->data<float>()) {
      EXPECT_GE(variance, 0.75F);
      EXPECT_LT(variance, 2.5F);
    }
  }
}

}  // namespace
}  // namespace halftone::models
