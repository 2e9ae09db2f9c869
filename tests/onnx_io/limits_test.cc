// Sizes that overflow, and small quantized files that ask for what cannot be.
#include <gmock/gmock.h>

#include <chrono>

#include "halftone/ir/infer.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/lower/lower.h"
#include "tests/ir/tensors.h"
#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

constexpr std::int64_t kGiga = std::int64_t{1} << 30;

Model one_node(const std::string& type, const Shape& shape) {
  Model model;
  model.input("x", shape);
  model.node(type, {"x"}, {"y"}, "n");
  return std::move(model.output("y"));
}

TEST(Limits, InputsOfTooManyElementsAreRefused) {
  for (const Shape& shape : {Shape{kGiga, 5}, Shape{0, kGiga, 5}, Shape{INT64_MAX, INT64_MAX},
                             Shape{2, INT64_MAX}, Shape{1 << 16, 1 << 16, 2}})
    EXPECT_THROW(parse(one_node("Relu", shape).proto), InputError) << to_string(shape);
}

TEST(Limits, NegativeDimensionsAreNotTaken) {
  for (std::int64_t dim : {std::int64_t{-1}, std::int64_t{-7}, INT64_MIN}) {
    EXPECT_THROW(parse(one_node("Relu", {3, dim}).proto), InputError);
    EXPECT_EQ(parse(one_node("Relu", {dim, 3}).proto).value(0).shape, (Shape{kDynamic, 3}));
  }
}

TEST(Limits, AttributesFarOutsideAreRefused) {
  for (const char* name : {"kernel_shape", "strides", "dilations"})
    for (std::int64_t value :
         {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX, std::int64_t{1} << 40}) {
      Model model = one_node("MaxPool", {1, 1, 4, 4});
      onnx::NodeProto& node = *model.graph().mutable_node(0);
      if (std::string_view(name) != "kernel_shape")
        set(node, "kernel_shape", std::vector<std::int64_t>{2, 2});
      set(node, name, std::vector<std::int64_t>{1, value});
      EXPECT_THAT(message_of<InputError>([&] { parse(model.proto); }), testing::HasSubstr("'n'"))
          << name << " " << value;
    }
  for (std::int64_t value : {std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
    Model model = one_node("MaxPool", {1, 1, 4, 4});
    set(*model.graph().mutable_node(0), "kernel_shape", std::vector<std::int64_t>{2, 2});
    set(*model.graph().mutable_node(0), "pads", std::vector<std::int64_t>{0, 0, value, 0});
    EXPECT_THROW(parse(model.proto), InputError) << value;
  }
  for (const char* type : {"Flatten", "Softmax"})
    for (std::int64_t axis : {std::int64_t{-4}, std::int64_t{4}, INT64_MIN, INT64_MAX}) {
      Model model = one_node(type, {2, 3, 4});
      set(*model.graph().mutable_node(0), "axis", axis);
      EXPECT_THROW(parse(model.proto), InputError) << type << " " << axis;
    }
}

TEST(Limits, GroupsThatDoNotDivideAreRefused) {
  for (std::int64_t groups : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{3}, INT64_MAX, INT64_MIN,
                              (std::int64_t{1} << 62) + 1}) {
    Model model;
    model.input("x", {1, 4, 2, 2});
    model.initializer("w", {4, 4, 1, 1}, std::vector<float>(16));
    set(model.node("Conv", {"x", "w"}, {"y"}, "n"), "group", groups);
    EXPECT_THROW(parse(model.output("y").proto), InputError) << groups;
  }
}

TEST(Limits, ReshapesThatDoNotFitAreRefused) {
  const std::vector<std::int64_t> requests[] = {{7},
                                                {-1, -1},
                                                {-2},
                                                {5, -1},
                                                {INT64_MAX, INT64_MAX},
                                                {INT64_MIN},
                                                {0, 0, 0, 0},
                                                {std::int64_t{1} << 32, std::int64_t{1} << 32}};
  for (const auto& request : requests) {
    Model model;
    model.input("x", {2, 3});
    model.shape_initializer("s", request);
    model.node("Reshape", {"x", "s"}, {"y"});
    EXPECT_THROW(parse(model.output("y").proto), InputError) << request[0];
  }
}

// Broadcasting two small inputs makes 2^62 elements, and again 2^124.
TEST(Limits, ComputedShapesOfTooManyElementsAreRefused) {
  Model model;
  model.input("a", {kGiga, 1, 1, 1});
  model.input("b", {kGiga, 1, 1});
  model.input("c", {kGiga, 1});
  model.node("Add", {"a", "b"}, {"ab"});
  model.node("Add", {"ab", "c"}, {"abc"});
  set(model.node("Flatten", {"abc"}, {"y"}), "axis", std::int64_t{0});
  EXPECT_THROW(parse(model.output("y").proto), InputError);
}

TEST(Limits, PadsThatMakeTooManyElementsAreRefused) {
  Model model;
  model.input("x", {1, 1, 1, 1});
  model.initializer("w", {1, 1, 1, 1}, {1});
  set(model.node("Conv", {"x", "w"}, {"c"}), "pads", std::vector<std::int64_t>(4, std::int64_t{1} << 31));
  model.node("Flatten", {"c"}, {"y"});
  EXPECT_THROW(parse(model.output("y").proto), InputError);
}

TEST(Limits, FlatteningAProductOfGrownDimensionsIsRefusedNotOverflown) {
  Model model;
  model.input("x", {0, 1, kGiga, 1});
  model.input("z", {kGiga, 1, kGiga - 1});
  model.node("Add", {"x", "z"}, {"s"});
  model.node("Flatten", {"s"}, {"y"});
  EXPECT_THROW(parse(model.output("y").proto), InputError);
}

// x -> Quantize -> Dequantize -> node -> Quantize -> y
Model quantized(const Shape& shape, const std::string& type, const std::vector<std::string>& more = {}) {
  Model model;
  model.input("x", shape);
  model.initializer("s", {}, {0.5F});
  model.int8_initializer("z", {}, 0);
  model.node("QuantizeLinear", {"x", "s", "z"}, {"xq"});
  model.node("DequantizeLinear", {"xq", "s", "z"}, {"xd"});
  std::vector<std::string> inputs{"xd"};
  inputs.insert(inputs.end(), more.begin(), more.end());
  model.node(type, inputs, {"r"}, "n");
  model.node("QuantizeLinear", {"r", "s", "z"}, {"y"});
  return std::move(model.output("y"));
}

// Lowered and run once on zeros, batch 1. An Error is welcome.
void expect_runs_or_refuses(const Model& model) {
  try {
    const ir::Graph graph = parse(model.proto);
    const qgraph::Interpreter integers(lower::lower(graph));
    std::vector<Tensor> inputs;
    for (ir::ValueId id : graph.inputs) {
      Shape shape = graph.value(id).shape;
      for (std::int64_t& dim : shape) dim = dim == kDynamic ? 1 : dim;
      inputs.emplace_back(graph.value(id).dtype, shape);
    }
    integers.run(inputs);
  } catch (const Error&) {
  } catch (const std::exception& error) {
    ADD_FAILURE() << "expected an Error, got " << error.what();
  }
}

TEST(Limits, AWindowThatSeesOnlyPaddingIsRefused) {
  for (const char* type : {"MaxPool", "AveragePool"}) {
    Model model = quantized({0, 1, 1, 1}, type);
    onnx::NodeProto& node = *model.graph().mutable_node(2);
    set(node, "kernel_shape", std::vector<std::int64_t>{2, 2});
    set(node, "dilations", std::vector<std::int64_t>{2, 2});
    set(node, "pads", std::vector<std::int64_t>{1, 1, 1, 1});  // reads places -1 and 1 of an input of one
    EXPECT_THROW(parse(model.proto), InputError) << type;
    expect_runs_or_refuses(model);
  }
}

TEST(Limits, ScalesWhoseProductLeavesFloat32) {
  for (float scale : {1e-38F, 3e38F}) {
    Model model = quantized({0, 2}, "Gemm", {"wd"});
    model.initializer("ws", {}, {scale});
    model.int8_initializer("wq", {2, 2}, 1);
    model.int8_initializer("wz", {}, 0);
    model.graph().mutable_initializer(0)->set_float_data(0, scale);
    onnx::NodeProto& node = model.node("DequantizeLinear", {"wq", "ws", "wz"}, {"wd"});
    model.graph().mutable_node()->SwapElements(2, 4);
    model.graph().mutable_node()->SwapElements(3, 4);
    (void)node;
    expect_runs_or_refuses(model);
  }
}

TEST(Limits, IntegerInputsThatAreMovedBeforeTheyAreDequantized) {
  for (const char* type : {"Flatten", "Identity"}) {
    Model model;
    model.input("x", {0, 2, 2}, onnx::TensorProto::INT8);
    model.initializer("s", {}, {0.5F});
    model.int8_initializer("z", {}, 0);
    model.node(type, {"x"}, {"m"});
    model.node("DequantizeLinear", {"m", "s", "z"}, {"d"});
    model.node("Relu", {"d"}, {"r"});
    model.node("QuantizeLinear", {"r", "s", "z"}, {"y"});
    expect_runs_or_refuses(model.output("y"));
  }
}

TEST(Limits, Int32ActivationsDoNotIndexATable) {
  for (const char* type : {"Sigmoid", "Relu"}) {
    Model model;
    model.input("x", {0, 2}, onnx::TensorProto::INT32);
    model.initializer("s", {}, {0.5F});
    model.int8_initializer("z", {}, 0);
    model.node("DequantizeLinear", {"x", "s"}, {"d"});
    model.node(type, {"d"}, {"r"});
    model.node("QuantizeLinear", {"r", "s", "z"}, {"y"});
    model.output("y");
    try {
      const qgraph::Interpreter integers(lower::lower(parse(model.proto)));
      const Tensor x = Tensor::from<std::int32_t>({1, 2}, std::vector<std::int32_t>{1 << 24, -(1 << 24)});
      const Tensor y = integers.run({&x, 1}).at(0);
      EXPECT_TRUE(y == ir::run(parse(model.proto), {x})) << type;
    } catch (const Error&) {
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

TEST(Limits, Int32ZeroPointsOtherThanZeroAreRefused) {
  Model model;
  model.input("x", {0, 2}, onnx::TensorProto::INT32);
  model.initializer("s", {}, {0.5F});
  model.int8_initializer("z", {}, 1, onnx::TensorProto::INT32);
  model.node("DequantizeLinear", {"x", "s", "z"}, {"y"});
  model.output("y");
  const Tensor x = Tensor::from<std::int32_t>({1, 2}, std::vector<std::int32_t>{INT32_MIN, 0});
  EXPECT_THROW(ir::run(parse(model.proto), {x}), InputError);
}

TEST(Limits, LoweringAHugePoolEndsQuickly) {
  Model model = quantized({0, 1, 1, 1 << 20}, "AveragePool");
  onnx::NodeProto& node = *model.graph().mutable_node(2);
  set(node, "kernel_shape", std::vector<std::int64_t>{1, 1 << 12});
  const auto start = std::chrono::steady_clock::now();
  const ir::Graph graph = parse(model.proto);
  try {
    lower::lower(graph);
  } catch (const Error&) {
  }
  // 2^20 outputs of 2^12 taps: counted tap by tap these are 2^32 steps.
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 1.0);
}

}  // namespace
}  // namespace halftone::onnx_io
