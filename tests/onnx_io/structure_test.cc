// Graphs as files describe them: inputs, weights, outputs, names.
#include <gmock/gmock.h>

#include "tests/ir/tensors.h"
#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

using ir::floats;
using testing::HasSubstr;

Model gemm() {
  Model model;
  model.input("x", {0, 2});
  model.initializer("w", {2, 1}, {3, 4});
  model.node("Gemm", {"x", "w"}, {"y"});
  return std::move(model.output("y"));
}

std::string refusal(const Model& model) {
  return message_of<InputError>([&] { parse(model.proto); });
}

TEST(Structure, WeightsListedAsInputsAreWeights) {
  Model model = gemm();
  model.input("w", {2, 1});
  const ir::Graph graph = parse(model.proto);
  ASSERT_EQ(graph.inputs.size(), 1u);
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "x");
  EXPECT_TRUE(ir::run(graph, {floats({1, 2}, {1, 2})}) == floats({1, 1}, {11}));
}

TEST(Structure, ConstantNodesBecomeConstants) {
  Model model;
  model.input("x", {0, 2});
  auto* value = model.node("Constant", {}, {"w"}).add_attribute();
  value->set_name("value");
  value->set_type(onnx::AttributeProto::TENSOR);
  Model::fill(*value->mutable_t(), {2, 1}, {3, 4});
  model.node("Gemm", {"x", "w"}, {"y"});
  const ir::Graph graph = parse(model.output("y").proto);
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_TRUE(ir::run(graph, {floats({1, 2}, {1, 2})}) == floats({1, 1}, {11}));
}

TEST(Structure, ConstantNodesMayHoldNumbersButNoText) {
  Model numbers;
  numbers.input("x", {2});
  set(numbers.node("Constant", {}, {"c"}), "value_float", 1.0F);
  numbers.node("Add", {"x", "c"}, {"y"});
  EXPECT_TRUE(ir::run(parse(numbers.output("y").proto), {floats({2}, {1, 2})}) == floats({2}, {2, 3}));
  Model text;
  text.input("x", {2});
  set(text.node("Constant", {}, {"c"}), "value_string", std::string("one"));
  text.node("Add", {"x", "c"}, {"y"});
  EXPECT_THAT(message_of<UnsupportedError>([&] { parse(text.output("y").proto); }), HasSubstr("'c'"));
  Model two;
  two.node("Constant", {}, {"a", "b"});
  EXPECT_THROW(parse(two.output("a").proto), InputError);
  Model none;
  none.input("x", {2});
  none.node("Constant", {}, {});
  EXPECT_THROW(parse(none.output("x").proto), InputError);
}

TEST(Structure, OnlyTheFirstDimensionMayBeFree) {
  Model model;
  model.input("x", {0, 3});
  model.node("Relu", {"x"}, {"y"});
  model.output("y");
  EXPECT_EQ(parse(model.proto).value(0).shape, (Shape{kDynamic, 3}));
  auto* dims = model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  dims->mutable_dim(0)->clear_value();
  EXPECT_EQ(parse(model.proto).value(0).shape, (Shape{kDynamic, 3}));
  dims->mutable_dim(0)->set_dim_value(5);
  EXPECT_EQ(parse(model.proto).value(0).shape, (Shape{5, 3}));
  dims->mutable_dim(1)->set_dim_param("M");
  EXPECT_THAT(message_of<UnsupportedError>([&] { parse(model.proto); }), HasSubstr("'x'"));
}

TEST(Structure, InputsWithoutTypeOrShapeAreRefusedByName) {
  Model untyped;
  untyped.graph().add_input()->set_name("x");
  EXPECT_THAT(refusal(untyped.output("x")), HasSubstr("'x'"));
  Model shapeless;
  shapeless.input("x", {1}).mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_THAT(refusal(shapeless.output("x")), HasSubstr("'x'"));
  Model text;
  text.input("x", {1}, onnx::TensorProto::STRING);
  EXPECT_THAT(refusal(text.output("x")), HasSubstr("'x'"));
}

TEST(Structure, EveryUnsupportedNodeIsNamedInOneError) {
  Model model;
  model.input("x", {1});
  model.node("Einsum", {"x"}, {"a"}, "first");
  model.node("Relu", {"missing"}, {"b"}, "wrong in another way");
  model.node("GridSample", {"a"}, {"c"}).set_domain("ai.onnx");
  model.node("Relu", {"c"}, {"d"}, "third").set_domain("com.example");
  const std::string message = message_of<UnsupportedError>([&] { parse(model.output("d").proto); });
  EXPECT_THAT(message, HasSubstr("Einsum 'first'"));
  EXPECT_THAT(message, HasSubstr("GridSample 'c'"));
  EXPECT_THAT(message, HasSubstr("com.example.Relu 'third'"));
}

TEST(Structure, ManyUnsupportedNodesAreCounted) {
  Model model;
  model.input("x", {1});
  for (int i = 0; i < 13; ++i) model.node("Einsum", {"x"}, {"y" + std::to_string(i)});
  const std::string message = message_of<UnsupportedError>([&] { parse(model.output("y0").proto); });
  EXPECT_THAT(message, HasSubstr("'y9'"));
  EXPECT_THAT(message, HasSubstr("and 3 more"));
}

TEST(Structure, SecondOutputsAreThereWhenAskedFor) {
  Model model;
  model.input("x", {1, 1, 4, 4});
  onnx::NodeProto& node = model.node("MaxPool", {"x"}, {"y", ""}, "p");
  set(node, "kernel_shape", std::vector<std::int64_t>{2, 2});
  model.output("y");
  EXPECT_EQ(parse(model.proto).nodes.at(0).outputs.size(), 1u);
  node.set_output(1, "indices");
  EXPECT_EQ(parse(model.proto).nodes.at(0).outputs.size(), 2u);
  node.add_output("third");
  EXPECT_THAT(message_of<UnsupportedError>([&] { parse(model.proto); }), HasSubstr("'third'"));
}

TEST(Structure, ANodeWithoutOutputsIsRefused) {
  Model model = gemm();
  model.node("Relu", {"y"}, {});
  EXPECT_THROW(parse(model.proto), InputError);
  Model unnamed = gemm();
  unnamed.node("Relu", {"y"}, {""});
  EXPECT_THROW(parse(unnamed.proto), InputError);
}

TEST(Structure, MissingInputsAndCyclesAreRefusedByName) {
  Model missing = gemm();
  missing.node("Relu", {"nowhere"}, {"z"});
  EXPECT_THAT(refusal(missing), HasSubstr("'nowhere'"));
  Model cycle;
  cycle.input("x", {1});
  cycle.node("Add", {"x", "b"}, {"a"});
  cycle.node("Relu", {"a"}, {"b"});
  EXPECT_THAT(refusal(cycle.output("b")), HasSubstr("'b'"));
  Model self;
  self.input("x", {1});
  self.node("Add", {"x", "y"}, {"y"});
  EXPECT_THROW(parse(self.output("y").proto), InputError);
  Model output = gemm();
  EXPECT_THAT(refusal(output.output("elsewhere")), HasSubstr("'elsewhere'"));
}

TEST(Structure, NamesDefinedTwiceAreRefused) {
  Model twice = gemm();
  twice.node("Relu", {"x"}, {"y"});
  EXPECT_THAT(refusal(twice), HasSubstr("'y'"));
  Model weights = gemm();
  weights.initializer("w", {1}, {1});
  EXPECT_THAT(refusal(weights), HasSubstr("'w'"));
  Model input = gemm();
  input.input("x", {1});
  EXPECT_THAT(refusal(input), HasSubstr("'x'"));
  Model shadowed = gemm();
  shadowed.node("Relu", {"x"}, {"w"});
  EXPECT_THAT(refusal(shadowed), HasSubstr("'w'"));
}

TEST(Structure, NoOutputsNoGraphNothing) {
  Model model = gemm();
  model.graph().clear_output();
  EXPECT_THROW(parse(model.proto), InputError);
  model.proto.clear_graph();
  EXPECT_THROW(parse(model.proto), InputError);
  EXPECT_THROW(parse(std::string()), InputError);
  Model versionless = gemm();
  versionless.proto.clear_opset_import();
  EXPECT_THROW(parse(versionless.proto), InputError);
}

TEST(Structure, WrongNumbersOfInputsAreRefused) {
  for (const char* type : {"Relu", "Add", "Conv", "Gemm", "MatMul", "MaxPool", "Softmax", "Reshape",
                           "BatchNormalization", "QuantizeLinear", "DequantizeLinear", "Flatten", "Identity",
                           "GlobalAveragePool", "AveragePool", "Sigmoid", "Tanh", "Clip"}) {
    for (std::size_t count : {0, 7}) {
      Model model;
      model.input("x", {2, 2, 2, 2});
      model.node(type, std::vector<std::string>(count, "x"), {"y"}, "n");
      EXPECT_THAT(refusal(model.output("y")), HasSubstr(type)) << count;
    }
    Model absent;
    absent.input("x", {2, 2, 2, 2});
    absent.node(type, {"", "x"}, {"y"});
    EXPECT_THROW(parse(absent.output("y").proto), InputError) << type;
  }
}

TEST(Structure, OtherTypesIntoFloatOpsAreUnsupported) {
  for (int dtype : {onnx::TensorProto::INT8, onnx::TensorProto::INT64, onnx::TensorProto::BOOL})
    for (const char* type : {"Softmax", "GlobalAveragePool", "GlobalMaxPool"}) {
      Model model;
      model.input("x", {1, 2, 3, 3}, dtype);
      model.node(type, {"x"}, {"y"});
      EXPECT_THROW(parse(model.output("y").proto), UnsupportedError) << type;
    }
}

TEST(Structure, FunctionsOfOneVariableTakeEveryNumber) {
  for (int dtype : {onnx::TensorProto::DOUBLE, onnx::TensorProto::FLOAT16, onnx::TensorProto::BFLOAT16,
                    onnx::TensorProto::INT8, onnx::TensorProto::INT64}) {
    Model model;
    model.input("x", {1, 2}, dtype);
    model.node("Relu", {"x"}, {"y"});
    const ir::Graph graph = parse(model.output("y").proto);
    EXPECT_EQ(graph.value(graph.outputs[0]).dtype, graph.value(graph.inputs[0]).dtype);
  }
}

TEST(Structure, UnreadNodesAndConstantsAreDropped) {
  Model model = gemm();
  model.node("Relu", {"y"}, {"unread"});
  model.initializer("spare", {1}, {1});
  const ir::Graph graph = parse(model.proto);
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_FALSE(graph.find("spare"));
  EXPECT_FALSE(graph.find("unread"));
}

TEST(Structure, MessagesAreOneLineWhateverTheNames) {
  Model model;
  model.input("x", {1});
  model.node("Relu", {"no\nsuch\x1b[31m value"}, {"y"});
  const std::string message = refusal(model.output("y"));
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_EQ(message.find('\x1b'), std::string::npos) << message;
}

}  // namespace
}  // namespace halftone::onnx_io
