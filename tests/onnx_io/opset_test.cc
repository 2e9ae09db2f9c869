// The same operator as several operator sets write it.
#include <gmock/gmock.h>

#include <cmath>

#include "halftone/onnx_io/save.h"
#include "tests/ir/tensors.h"
#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

using ir::floats;
using ir::values_of;

template <typename Op>
Op only(const ir::Graph& graph) {
  EXPECT_EQ(graph.nodes.size(), 1u);
  return std::get<Op>(graph.nodes.at(0).op);
}

Model relu(std::int64_t opset) {
  Model model(opset);
  model.input("x", {0, 3});
  model.node("Relu", {"x"}, {"y"});
  return std::move(model.output("y"));
}

TEST(Opset, SevenToTwentyFiveAreRead) {
  for (std::int64_t opset = 7; opset <= 25; ++opset)
    EXPECT_EQ(parse(relu(opset).proto).nodes.size(), 1u) << opset;
  for (std::int64_t opset : {-1, 0, 1, 6, 26, 1000})
    EXPECT_THAT(message_of<UnsupportedError>([&] { parse(relu(opset).proto); }),
                testing::HasSubstr("expected 7 to 25"))
        << opset;
}

TEST(Opset, IsThatOfTheDefaultDomainWhereverItStands) {
  Model model = relu(13);
  model.proto.clear_opset_import();
  auto* other = model.proto.add_opset_import();
  other->set_domain("ai.onnx.ml");
  other->set_version(99);
  EXPECT_THROW(parse(model.proto), InputError);
  auto* mine = model.proto.add_opset_import();
  mine->set_domain("ai.onnx");
  mine->set_version(13);
  EXPECT_EQ(parse(model.proto).nodes.size(), 1u);
}

TEST(Opset, ClipBoundsAreAttributesBeforeEleven) {
  for (std::int64_t opset : {7, 10}) {
    Model model(opset);
    model.input("x", {4});
    set(model.node("Clip", {"x"}, {"y"}), "min", -1.5F);
    model.output("y");
    EXPECT_EQ(only<ir::Clip>(parse(model.proto)), (ir::Clip{-1.5F, INFINITY}));
  }
}

TEST(Opset, ClipBoundsAreInputsFromElevenOn) {
  Model model(11);
  model.input("x", {4});
  model.initializer("hi", {}, {6.0F});
  model.node("Clip", {"x", "", "hi"}, {"y"});
  model.output("y");
  const ir::Graph graph = parse(model.proto);
  EXPECT_EQ(only<ir::Clip>(graph), (ir::Clip{-INFINITY, 6.0F}));
  EXPECT_EQ(graph.values.size(), 2u);
  set(*model.graph().mutable_node(0), "max", 3.0F);
  EXPECT_THAT(message_of<UnsupportedError>([&] { parse(model.proto); }), testing::HasSubstr("max"));
}

TEST(Opset, ClipBoundsThatAreComputedOrNoNumberAreRefused) {
  Model computed(13);
  computed.input("x", {4});
  computed.input("hi", {});
  computed.node("Clip", {"x", "", "hi"}, {"y"});
  EXPECT_THROW(parse(computed.output("y").proto), UnsupportedError);
  Model many(13);
  many.input("x", {4});
  many.initializer("hi", {2}, {1, 2});
  many.node("Clip", {"x", "", "hi"}, {"y"});
  EXPECT_THROW(parse(many.output("y").proto), InputError);
}

TEST(Opset, ClipWithoutAnInputIsRefused) {
  Model model(13);
  model.input("x", {4});
  model.node("Clip", {}, {"y"});
  EXPECT_THROW(parse(model.output("y").proto), InputError);
  Model nothing(13);
  nothing.node("Clip", {}, {"y"});
  EXPECT_THROW(parse(nothing.output("y").proto), InputError);
}

TEST(Opset, ClipWithMoreThanThreeInputsIsRefused) {
  Model model(13);
  model.input("x", {4});
  model.initializer("a", {}, {1});
  model.node("Clip", {"x", "a", "a", "a"}, {"y"});
  EXPECT_THROW(parse(model.output("y").proto), InputError);
}

TEST(Opset, SoftmaxBeforeThirteenSumsToTheEnd) {
  for (std::int64_t opset : {7, 12, 13}) {
    Model model(opset);
    model.input("x", {2, 2, 2});
    set(model.node("Softmax", {"x"}, {"y"}), "axis", std::int64_t{1});
    model.output("y");
    const auto y = values_of<float>(ir::run(parse(model.proto), {Tensor(DType::float32, {2, 2, 2})}));
    EXPECT_THAT(y, testing::Each(opset < 13 ? 0.25F : 0.5F)) << opset;
  }
}

TEST(Opset, SoftmaxDefaultAxisIsOneThenTheLast) {
  for (std::int64_t opset : {12, 13}) {
    Model model(opset);
    model.input("x", {2, 2, 2});
    model.node("Softmax", {"x"}, {"y"});
    model.output("y");
    EXPECT_EQ(only<ir::Softmax>(parse(model.proto)).axis, opset < 13 ? 1 : -1);
  }
}

TEST(Opset, ConvAttributesKeepTheirMeaning) {
  Model model(11);
  model.input("x", {0, 2, 7, 7});
  model.initializer("w", {4, 1, 3, 2}, std::vector<float>(24, 1.0F));
  onnx::NodeProto& node = model.node("Conv", {"x", "w"}, {"y"}, "c");
  set(node, "kernel_shape", std::vector<std::int64_t>{3, 2});
  set(node, "strides", std::vector<std::int64_t>{2, 1});
  set(node, "pads", std::vector<std::int64_t>{1, 2, 3, 4});
  set(node, "dilations", std::vector<std::int64_t>{1, 3});
  set(node, "group", std::int64_t{2});
  const ir::Graph graph = parse(model.output("y").proto);
  EXPECT_EQ(only<ir::Conv>(graph),
            (ir::Conv{{.kernel = {3, 2}, .strides = {2, 1}, .pads = {1, 2, 3, 4}, .dilations = {1, 3}}, 2}));
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{kDynamic, 4, 5, 10}));
}

TEST(Opset, AutoPadOverridesPads) {
  Model model(11);
  model.input("x", {1, 1, 5, 5});
  onnx::NodeProto& node = model.node("MaxPool", {"x"}, {"y"});
  set(node, "kernel_shape", std::vector<std::int64_t>{2, 2});
  set(node, "auto_pad", std::string("VALID"));
  set(node, "pads", std::vector<std::int64_t>{1, 1, 1, 1});
  const ir::Graph graph = parse(model.output("y").proto);
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{1, 1, 4, 4}));
  node.mutable_attribute(1)->set_s("SOMEHOW");
  EXPECT_THAT(message_of<InputError>([&] { parse(model.proto); }), testing::HasSubstr("SOMEHOW"));
}

TEST(Opset, StatisticsByElementAreRefused) {
  const auto model = [](std::int64_t opset, const char* attribute, std::int64_t value) {
    Model m(opset);
    m.input("x", {0, 1, 2, 2});
    for (const char* name : {"s", "b", "m", "v"}) m.initializer(name, {1}, {1});
    set(m.node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"}), attribute, value);
    return m.output("y").proto;
  };
  EXPECT_EQ(parse(model(14, "training_mode", 0)).nodes.size(), 1u);
  EXPECT_TRUE(std::get<ir::BatchNormalization>(parse(model(14, "training_mode", 1)).nodes.at(0).op).training);
  EXPECT_EQ(parse(model(7, "spatial", 1)).nodes.size(), 1u);
  EXPECT_THROW(parse(model(7, "spatial", 0)), UnsupportedError);
}

TEST(Opset, UnknownAttributesAreRefusedByName) {
  Model model(13);
  model.input("x", {1});
  set(model.node("Relu", {"x"}, {"y"}, "r"), "leak", std::int64_t{1});
  const std::string message = message_of<UnsupportedError>([&] { parse(model.output("y").proto); });
  EXPECT_THAT(message, testing::HasSubstr("leak"));
  EXPECT_THAT(message, testing::HasSubstr("'r'"));
}

TEST(Opset, AttributesOfAnotherTypeAreRefused) {
  Model model(13);
  model.input("x", {2, 2});
  set(model.node("Flatten", {"x"}, {"y"}), "axis", 1.0F);
  EXPECT_THROW(parse(model.output("y").proto), InputError);
}

TEST(Opset, ReshapeKeepsZerosWhenToldTo) {
  Model model(14);
  model.input("x", {2, 3});
  model.shape_initializer("s", {0, 3});
  set(model.node("Reshape", {"x", "s"}, {"y"}), "allowzero", std::int64_t{1});
  EXPECT_THROW(parse(model.output("y").proto), InputError);
  model.graph().mutable_node(0)->clear_attribute();
  const ir::Graph graph = parse(model.proto);
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, (Shape{2, 3}));
}

TEST(Opset, AxesAreAttributesBeforeThirteenAndInputsFromThen) {
  for (std::int64_t opset : {11, 13})
    for (const char* type : {"Squeeze", "Unsqueeze"}) {
      Model model(opset);
      model.input("x", {2, 1, 3});
      onnx::NodeProto& node = model.node(type, {"x"}, {"y"});
      if (opset < 13) {
        set(node, "axes", std::vector<std::int64_t>{1});
      } else {
        model.shape_initializer("axes", {1});
        node.add_input("axes");
      }
      const ir::Graph graph = parse(model.output("y").proto);
      EXPECT_EQ(graph.value(graph.outputs[0]).shape,
                type == std::string("Squeeze") ? (Shape{2, 3}) : (Shape{2, 1, 1, 3}))
          << opset;
    }
}

TEST(Opset, AxesThatAreComputedOrNoListOfInt64AreRefused) {
  Model computed(13);
  computed.input("x", {2, 1});
  computed.input("axes", {1}, onnx::TensorProto::INT64);
  computed.node("Squeeze", {"x", "axes"}, {"y"});
  EXPECT_THROW(parse(computed.output("y").proto), UnsupportedError);
  Model real(13);
  real.input("x", {2, 1});
  real.initializer("axes", {1}, {1.0F});
  real.node("Squeeze", {"x", "axes"}, {"y"});
  EXPECT_THROW(parse(real.output("y").proto), InputError);
}

TEST(Opset, NodesWithoutTheirInputAreRefused) {
  for (const char* type : {"Squeeze", "Unsqueeze", "Dropout", "Concat", "Transpose"}) {
    Model model(13);
    model.input("x", {1, 4});
    model.node(type, {}, {"y"});
    EXPECT_THROW(parse(model.output("y").proto), InputError) << type;
  }
}

TEST(Opset, DefaultsOfAttributesAreThoseOfOnnx) {
  const auto of = [](const char* type, std::int64_t opset = 13) {
    Model model(opset);
    model.input("x", {4});
    model.node(type, {"x"}, {"y"});
    return parse(model.output("y").proto).nodes.at(0).op;
  };
  EXPECT_TRUE(of("LeakyRelu") == ir::Op(ir::LeakyRelu{0.01F}));
  EXPECT_TRUE(of("Elu") == ir::Op(ir::Elu{1.0F}));
  EXPECT_TRUE(of("Selu") == ir::Op(ir::Selu{1.67326319F, 1.05070102F}));
  EXPECT_TRUE(of("HardSigmoid") == ir::Op(ir::HardSigmoid{0.2F, 0.5F}));
  EXPECT_TRUE(of("Gelu", 20) == ir::Op(ir::Gelu{false}));
  EXPECT_TRUE(of("Swish", 24) == ir::Op(ir::Swish{1.0F}));
  EXPECT_TRUE(of("Transpose") == ir::Op(ir::Transpose{}));
  EXPECT_TRUE(of("Dropout") == ir::Op(ir::Identity{}));
}

TEST(Opset, WhatIsReadFromAnOldFileIsWrittenWithTheSameMeaning) {
  Model model(9);
  model.input("x", {2, 3, 2});
  set(model.node("Clip", {"x"}, {"c"}), "max", 1.0F);
  set(model.node("Softmax", {"c"}, {"y"}), "axis", std::int64_t{1});
  const ir::Graph old = parse(model.output("y").proto);
  const Tensor x = ir::random_floats({2, 3, 2}, 1);
  EXPECT_TRUE(ir::run(parse(serialize_model(old)), {x}) == ir::run(old, {x}));
}

}  // namespace
}  // namespace halftone::onnx_io
