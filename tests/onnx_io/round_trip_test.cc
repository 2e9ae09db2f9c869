// Writing a graph and reading it back changes nothing.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "halftone/onnx_io/save.h"
#include "tests/onnx_io/every_op.h"
#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

// Random tensors for the graph's inputs, a symbolic batch being 2.
std::vector<Tensor> random_inputs(const ir::Graph& graph) {
  std::vector<Tensor> inputs;
  for (ir::ValueId id : graph.inputs) {
    Shape shape = graph.value(id).shape;
    for (std::int64_t& dim : shape) dim = dim == kDynamic ? 2 : dim;
    const Tensor real = ir::random_floats(shape, inputs.size() + 7);
    inputs.push_back(graph.value(id).dtype == DType::uint8 ? real.cast(DType::int32).cast(DType::uint8)
                                                           : real.cast(graph.value(id).dtype));
  }
  return inputs;
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const auto& [name, graph] : graphs_of_every_op()) result.push_back(name);
  return result;
}

class EveryOp : public testing::TestWithParam<std::string> {
 protected:
  const ir::Graph graph_ = graphs_of_every_op().at(GetParam());
};

INSTANTIATE_TEST_SUITE_P(RoundTrip, EveryOp, testing::ValuesIn(names()),
                         [](const auto& each) { return each.param; });

TEST_P(EveryOp, BytesSurviveReadingAndWriting) {
  const std::string bytes = serialize_model(graph_);
  EXPECT_EQ(serialize_model(parse(bytes)), bytes);
}

TEST_P(EveryOp, EqualGraphsGiveEqualBytes) {
  EXPECT_EQ(serialize_model(graph_), serialize_model(graphs_of_every_op().at(GetParam())));
}

TEST_P(EveryOp, NodesValuesAndMetadataSurvive) {
  const ir::Graph& before = graph_;
  const ir::Graph after = parse(serialize_model(before));
  EXPECT_EQ(after.name, before.name);
  EXPECT_EQ(after.metadata, before.metadata);
  const bool rewritten = GetParam().ends_with("_to_end");  // three nodes since opset 13
  ASSERT_EQ(after.nodes.size(), before.nodes.size() + (rewritten ? 2 : 0));
  for (std::size_t n = 0; n < before.nodes.size() && !rewritten; ++n) {
    EXPECT_EQ(after.nodes[n].name, before.nodes[n].name);
    EXPECT_TRUE(after.nodes[n].op == before.nodes[n].op);
  }
  const auto signature = [](const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
    std::string text;
    for (ir::ValueId id : ids)
      text += graph.value(id).name + " " + std::string(name_of(graph.value(id).dtype)) + " " +
              to_string(graph.value(id).shape) + "; ";
    return text;
  };
  EXPECT_EQ(signature(after, after.inputs), signature(before, before.inputs));
  EXPECT_EQ(signature(after, after.outputs), signature(before, before.outputs));
}

TEST_P(EveryOp, TheFunctionSurvives) {
  const ir::Graph& before = graph_;
  const ir::Graph after = parse(serialize_model(before));
  const std::vector<Tensor> inputs = random_inputs(before);
  EXPECT_TRUE(ir::run(after, inputs) == ir::run(before, inputs));
}

TEST(RoundTrip, AWholeQuantizedNetwork) {
  const ir::Graph graph = quantized_network();
  ir::check(graph);
  const std::string bytes = serialize_model(graph);
  const ir::Graph after = parse(bytes);
  EXPECT_EQ(serialize_model(after), bytes);
  const std::vector<Tensor> inputs = random_inputs(graph);
  EXPECT_TRUE(ir::run(after, inputs) == ir::run(graph, inputs));
}

// Shapes stay constants when read, axes and bounds become part of their ops.
TEST(RoundTrip, InitializersKeepTheirOrderWhateverBecomesOfThem) {
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::float32, {2, 3});
  const ir::ValueId a = graph.add_node(ir::Unsqueeze{.axes = {0}}, {x}, "a");
  const ir::ValueId b = graph.add_node(ir::Softmax{{.axis = 1, .to_end = true}}, {a}, "b");
  const ir::ValueId c = graph.add_node(ir::Clip{0.0F, 1.0F}, {b}, "c");
  const ir::ValueId spare = graph.add_constant("spare", ir::scalar_of(1.0F));
  graph.outputs = {graph.add_node(ir::Add{}, {c, graph.add_constant("w", ir::scalar_of(2.0F))}, "y"), spare};
  const std::string bytes = serialize_model(graph);
  EXPECT_EQ(serialize_model(parse(bytes)), bytes);
}

TEST(RoundTrip, EveryElementTypeOfConstants) {
  for (DType dtype :
       {DType::float32, DType::int8, DType::uint8, DType::int16, DType::uint16, DType::int32, DType::int64,
        DType::float64, DType::float16, DType::bfloat16, DType::uint32, DType::uint64, DType::boolean}) {
    ir::Graph graph;
    Tensor tensor(dtype, {2, 3});
    std::size_t next = 0;
    const std::size_t below = dtype == DType::boolean ? 2 : 63;  // no NaN among them
    for (std::byte& b : tensor.mutable_bytes()) b = static_cast<std::byte>(next++ % below);
    const ir::ValueId c = graph.add_constant("c", tensor);
    graph.outputs = {graph.add_node(ir::Identity{}, {c}, "y")};
    const ir::Graph after = parse(serialize_model(graph));
    EXPECT_TRUE(after.value(after.outputs[0]).constant == tensor) << name_of(dtype);
  }
}

TEST(RoundTrip, ConstantsWithoutElementsAndScalars) {
  ir::Graph graph;
  const ir::ValueId empty = graph.add_constant("empty", Tensor(DType::float32, {0, 3}));
  const ir::ValueId one = graph.add_constant("one", ir::scalar_of(-0.0F));
  graph.outputs = {graph.add_node(ir::Identity{}, {empty}, "y"), graph.add_node(ir::Identity{}, {one}, "z")};
  const ir::Graph after = parse(serialize_model(graph));
  EXPECT_EQ(after.value(after.outputs[0]).shape, (Shape{0, 3}));
  EXPECT_TRUE(std::signbit(after.constant(after.outputs[1])->data<float>()[0]));
}

TEST(RoundTrip, TwoClipsWhoseNodesHaveOneNameAreWrittenReadably) {
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::float32, {2});
  const ir::ValueId a = graph.add_node(ir::Clip{0.0F, 1.0F}, {x}, "clip");
  graph.outputs = {
      graph.add_node(ir::Clip{0.0F, 0.5F}, {a}, "clip")};  // the value becomes clip_1, the node stays clip
  ir::check(graph);
  const ir::Graph after = parse(serialize_model(graph));
  EXPECT_TRUE(ir::run(after, {ir::floats({2}, {-1.0F, 3.0F})}) == ir::floats({2}, {0.0F, 0.5F}));
}

TEST(RoundTrip, AValueCalledLikeTheBoundsOfAClipIsNoClash) {
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("clip_min", DType::float32, {2});
  graph.outputs = {graph.add_node(ir::Clip{0.0F, 1.0F}, {x}, "clip")};
  ir::check(graph);
  const ir::Graph after = parse(serialize_model(graph));
  EXPECT_TRUE(ir::run(after, {ir::floats({2}, {-1.0F, 3.0F})}) == ir::floats({2}, {0.0F, 1.0F}));
}

// ONNX: Reshape got allowzero in opset 14, AveragePool dilations in 19, QuantizeLinear 16-bit integers in 21.
TEST(RoundTrip, TheOperatorSetWrittenHasWhatIsUsed) {
  const auto opset = [](const ir::Graph& graph) {
    onnx::ModelProto model;
    EXPECT_TRUE(model.ParseFromString(serialize_model(graph)));
    return model.opset_import(0).version();
  };
  EXPECT_EQ(opset(quantized_network()), kOpset);
  EXPECT_GE(opset(graphs_of_every_op().at("reshape_allow_zero")), 14);
  EXPECT_EQ(opset(graphs_of_every_op().at("hard_swish")), 14);
  EXPECT_EQ(opset(graphs_of_every_op().at("gelu")), 20);
  EXPECT_EQ(opset(graphs_of_every_op().at("swish")), 24);
  EXPECT_GE(
      opset(ir::OneNode().input({1, 1, 5, 5}).with(ir::AveragePool{{.kernel = {2, 2}, .dilations = {2, 2}}})),
      19);
  const Tensor zero(DType::int16, {});
  EXPECT_GE(
      opset(ir::OneNode().input({2}).constant(ir::scalar_of(1)).constant(zero).with(ir::QuantizeLinear{})),
      21);
}

TEST(RoundTrip, FilesOnDisk) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("halftone-onnx-io-" + std::to_string(::getpid()) + ".onnx");
  const ir::Graph graph = quantized_network();
  save_model(graph, path);
  EXPECT_EQ(serialize_model(load_model(path)), serialize_model(graph));
  std::filesystem::remove(path);
  EXPECT_THROW(load_model(path), SystemError);
  EXPECT_THROW(save_model(graph, path / "below" / "nothing.onnx"), SystemError);
}

TEST(RoundTrip, NodesOfOneNameAreNumbered) {
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::float32, {2});
  ir::ValueId y = x;
  for (const char* name : {"same", "same_1", "same", "same"}) {
    y = graph.add_node(ir::Relu{}, {y}, "value");
    graph.nodes.back().name = name;
  }
  graph.outputs = {y};
  const std::string bytes = serialize_model(graph);
  const ir::Graph again = parse(bytes);
  std::vector<std::string> names;
  for (const ir::Node& node : again.nodes) names.push_back(node.name);
  EXPECT_EQ(names, (std::vector<std::string>{"same", "same_1", "same_2", "same_3"}));
  EXPECT_EQ(serialize_model(again), bytes);
}

}  // namespace
}  // namespace halftone::onnx_io
