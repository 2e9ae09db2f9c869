// Graphs: names, dead nodes, and what check() finds.
#include "halftone/ir/graph.h"

#include <gmock/gmock.h>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::HasSubstr;

// x -> a -> b, and a constant c added.
Graph small() {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ValueId a = g.add_node(Relu{}, {x}, "a");
  g.outputs = {g.add_node(Add{}, {a, g.add_constant("c", floats({2}, {1, 2}))}, "b")};
  return g;
}

std::string refusal(const Graph& graph) {
  try {
    check(graph);
  } catch (const InputError& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type of exception: " << error.what();
    return {};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(Graph, ReferencesOutliveWhatIsAdded) {
  Graph g = small();
  const Value& x = g.value(0);
  const std::string_view name = x.name;
  const Tensor* constant = g.constant(g.find("c").value());
  const Node& first = g.nodes[0];
  for (int i = 0; i < 1000; ++i) {
    g.add_constant("more", floats({1}, {0}));
    g.add_node(Relu{}, {0}, "again");
  }
  EXPECT_EQ(&x, &g.value(0));
  EXPECT_EQ(name, "x");
  EXPECT_EQ(constant, g.constant(g.find("c").value()));
  EXPECT_EQ(*constant, floats({2}, {1, 2}));
  EXPECT_EQ(&first, &g.nodes[0]);
  check(g);
}

TEST(Graph, ARenamedValueHasItsNameAlone) {
  Graph g = small();
  g.rename(0, "a");
  EXPECT_EQ(g.value(0).name, "a");
  EXPECT_EQ(g.value(g.nodes[0].outputs[0]).name, "a_1");
  g.rename(0, "a");
  g.rename(0, "fresh");
  EXPECT_EQ(g.value(0).name, "fresh");
  EXPECT_FALSE(g.find("a"));
  check(g);
}

TEST(Graph, NamesThatAreTakenGetNumbers) {
  Graph g;
  EXPECT_EQ(g.value(g.add_value("v")).name, "v");
  EXPECT_EQ(g.value(g.add_value("v")).name, "v_1");
  EXPECT_EQ(g.value(g.add_value("v_1")).name, "v_1_1");
  EXPECT_EQ(g.value(g.add_value("v")).name, "v_2");
  EXPECT_EQ(g.find("v_2"), 3);
  EXPECT_EQ(g.find("w"), std::nullopt);
}

TEST(Graph, UsesProducersAndConsumers) {
  Graph g = small();
  const auto id = [&](const char* name) { return static_cast<std::size_t>(*g.find(name)); };
  g.outputs.push_back(*g.find("a"));
  EXPECT_EQ(use_counts(g).at(id("a")), 2);
  EXPECT_EQ(use_counts(g).at(id("b")), 1);
  EXPECT_EQ(producers(g).at(id("b")), 1);
  EXPECT_EQ(producers(g).at(id("x")), -1);
  EXPECT_THAT(consumers(g).at(id("a")), testing::ElementsAre(1));
  EXPECT_EQ(describe(g, g.nodes[1]), "Add 'b' -> 'b'");
}

TEST(Graph, DeadNodesAndConstantsGoInputsStay) {
  Graph g = small();
  const ValueId dead = g.add_node(Tanh{}, {g.inputs[0]}, "dead");
  g.add_node(Add{}, {dead, g.add_constant("spare", floats({2}, {0, 0}))}, "deader");
  g.add_input("unread", DType::float32, {3});
  g.metadata["k"] = "v";
  const Graph kept = without_dead_nodes(g);
  check(kept);
  std::vector<std::string> names;
  for (const Value& value : kept.values) names.push_back(value.name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("x", "a", "b", "c", "unread"));
  EXPECT_EQ(kept.inputs.size(), 2u);
  EXPECT_EQ(kept.metadata, g.metadata);
  const Tensor x = random_floats({3, 2}, 1);
  EXPECT_TRUE(run(kept, {x, Tensor(DType::float32, {3})}) == run(small(), {x}));
}

TEST(Graph, DeadNodesKeepAbsentInputs) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {1, 2});
  g.outputs = {g.add_node(Gemm{}, {x, g.add_constant("w", floats({2, 1}, {1, 2})), kNoValue}, "y")};
  const Graph kept = without_dead_nodes(g);
  check(kept);
  EXPECT_EQ(kept.nodes.at(0).inputs.at(2), kNoValue);
}

TEST(Check, AGoodGraphPasses) { EXPECT_NO_THROW(check(small())); }

TEST(Check, Names) {
  Graph twice = small();
  twice.value(0).name = "b";
  EXPECT_THAT(refusal(twice), HasSubstr("'b'"));
  Graph empty = small();
  empty.value(0).name = "";
  EXPECT_THAT(refusal(empty), HasSubstr("without a name"));
}

TEST(Check, OrderAndCycles) {
  Graph order = small();
  std::swap(order.nodes[0], order.nodes[1]);
  EXPECT_THAT(refusal(order), HasSubstr("'b'"));
  Graph cycle = small();
  cycle.nodes[0].inputs[0] = *cycle.find("b");
  EXPECT_THAT(refusal(cycle), HasSubstr("'a'"));
  Graph self = small();
  self.nodes[0].inputs[0] = *self.find("a");
  EXPECT_THAT(refusal(self), HasSubstr("'a'"));
}

TEST(Check, Producers) {
  Graph two = small();
  two.nodes[1].outputs = two.nodes[0].outputs;
  EXPECT_THAT(refusal(two), HasSubstr("'a'"));
  Graph input = small();
  input.value(input.inputs[0]).constant = floats({2}, {1, 2});
  refusal(input);
  Graph computed_constant = small();
  computed_constant.nodes[0].outputs = {*computed_constant.find("c")};
  EXPECT_THAT(refusal(computed_constant), HasSubstr("'c'"));
  Graph none = small();
  none.nodes.erase(none.nodes.begin());
  EXPECT_THAT(refusal(none), HasSubstr("'b'"));
}

TEST(Check, ValuesThatDoNotExist) {
  for (ValueId wrong : {ValueId{-2}, ValueId{99}, ValueId{INT32_MAX}}) {
    Graph input = small();
    input.nodes[0].inputs[0] = wrong;
    refusal(input);
    Graph output = small();
    output.nodes[1].outputs[0] = wrong;
    refusal(output);
    Graph graph_input = small();
    graph_input.inputs.push_back(wrong);
    refusal(graph_input);
    Graph graph_output = small();
    graph_output.outputs.push_back(wrong);
    refusal(graph_output);
    // Wrong in two ways at once: the message must not need what is missing.
    Graph both = small();
    both.nodes[0].inputs = {wrong, wrong, wrong};
    both.nodes[0].outputs = {wrong};
    refusal(both);
  }
}

TEST(Check, NumbersOfInputsAndOutputs) {
  Graph few = small();
  few.nodes[1].inputs.pop_back();
  EXPECT_THAT(refusal(few), HasSubstr("1 inputs, expected 2"));
  Graph many = small();
  many.nodes[0].inputs.push_back(0);
  EXPECT_THAT(refusal(many), HasSubstr("'a'"));
  Graph absent = small();
  absent.nodes[0].inputs[0] = kNoValue;
  EXPECT_THAT(refusal(absent), HasSubstr("'a'"));
  Graph outputs = small();
  outputs.nodes[0].outputs.push_back(outputs.add_value("more"));
  EXPECT_THAT(refusal(outputs), HasSubstr("2 outputs, expected 1"));
  Graph no_output = small();
  no_output.nodes[1].outputs.clear();
  refusal(no_output);
  Graph nothing = small();
  nothing.outputs.clear();
  EXPECT_THAT(refusal(nothing), HasSubstr("no outputs"));
}

TEST(Check, Types) {
  Graph shape = small();
  shape.value(*shape.find("b")).shape = {kDynamic, 3};
  EXPECT_THAT(refusal(shape), HasSubstr("'b'"));
  Graph dtype = small();
  dtype.value(*dtype.find("b")).dtype = DType::int8;
  EXPECT_THAT(refusal(dtype), HasSubstr("'b'"));
  Graph constant = small();
  constant.value(*constant.find("c")).shape = {1, 2};
  EXPECT_THAT(refusal(constant), HasSubstr("'c'"));
  Graph negative = small();
  negative.value(negative.inputs[0]).shape = {-2, 2};
  EXPECT_THAT(refusal(negative), HasSubstr("'x'"));
}

TEST(Check, FloatOpsTakeOneFloatType) {
  for (DType dtype : {DType::float64, DType::float16, DType::bfloat16}) {
    const Graph g = OneNode().input({2, 2}, dtype).input({2, 2}, dtype).with(Gemm{});
    EXPECT_EQ(g.value(g.outputs[0]).dtype, dtype);
    const std::vector<Tensor> inputs(2, floats({2, 2}, {1, 2, 3, 4}).cast(dtype));
    EXPECT_EQ(run(g, inputs), floats({2, 2}, {7, 10, 15, 22}).cast(dtype));
  }
  for (DType dtype : {DType::int16, DType::int64, DType::uint16, DType::boolean})
    for (const Op& op : {Op(Softmax{}), Op(GlobalAveragePool{}), Op(GlobalMaxPool{}),
                         Op(MaxPool{{.kernel = {1, 1}}}), Op(AveragePool{{.kernel = {1, 1}}})}) {
      EXPECT_THROW(OneNode().input({2, 2, 2, 2}, dtype).with(op), UnsupportedError) << name_of(op);
      Graph g = OneNode().input({2, 2, 2, 2}).with(op);
      g.value(g.inputs[0]).dtype = dtype;
      g.value(g.outputs[0]).dtype = dtype;
      EXPECT_THROW(check(g), UnsupportedError) << name_of(op);
    }
  EXPECT_THROW(OneNode().input({2, 2}).input({2, 2}, DType::float64).with(MatMul{}), UnsupportedError);
}

TEST(Check, FunctionsOfOneAndTwoVariablesAndMovesTakeEveryNumber) {
  for (DType dtype : {DType::float64, DType::float16, DType::bfloat16, DType::int8, DType::int64,
                      DType::uint16, DType::uint32, DType::uint64}) {
    for (const Op& op : {Op(Relu{}), Op(Clip{0, 1}), Op(Transpose{}), Op(Concat{}), Op(Squeeze{})}) {
      const Graph g = OneNode().input({2, 2}, dtype).with(op);
      check(g);
      EXPECT_EQ(g.value(g.outputs[0]).dtype, dtype) << name_of(op);
    }
    for (const Op& op : {Op(Add{}), Op(Sub{}), Op(Mul{}), Op(Div{}), Op(PRelu{})}) {
      const Graph g = OneNode().input({2, 2}, dtype).input({2}, dtype).with(op);
      check(g);
      EXPECT_EQ(g.value(g.outputs[0]).dtype, dtype) << name_of(op);
      const DType other = dtype == DType::int8 ? DType::uint8 : DType::int8;
      EXPECT_THROW(OneNode().input({2, 2}, dtype).input({2}, other).with(op), InputError) << name_of(op);
    }
  }
}

TEST(Infer, ReplacesStaleShapes) {
  Graph g = small();
  g.value(g.inputs[0]).shape = {5, 2};
  infer_shapes(g);
  EXPECT_EQ(g.value(*g.find("b")).shape, (Shape{5, 2}));
  check(g);
}

TEST(Infer, ASymbolicBatchReachesTheEnd) {
  Graph g;
  ValueId x = g.add_input("x", DType::float32, {kDynamic, 1, 8, 8});
  x = g.add_node(Conv{}, {x, g.add_constant("w", Tensor(DType::float32, {4, 1, 3, 3}))}, "conv");
  x = g.add_node(MaxPool{{.kernel = {2, 2}, .strides = {2, 2}}}, {x}, "pool");
  x = g.add_node(Reshape{}, {x, g.add_constant("s", int64s({0, -1}))}, "flat");
  x = g.add_node(Gemm{},
                 {x, g.add_constant("v", Tensor(DType::float32, {36, 10})),
                  g.add_constant("b", Tensor(DType::float32, {10}))},
                 "gemm");
  g.outputs = {g.add_node(Softmax{}, {x}, "y")};
  EXPECT_EQ(g.value(g.outputs[0]).shape, (Shape{kDynamic, 10}));
  check(g);
  for (std::int64_t batch : {1, 2, 3})
    EXPECT_EQ(run(g, {Tensor(DType::float32, {batch, 1, 8, 8})}).shape(), (Shape{batch, 10}));
}

TEST(Infer, ComputedShapesOfTooManyElementsAreRefused) {
  const std::int64_t giga = std::int64_t{1} << 30;
  EXPECT_THROW(OneNode().input({giga, 1}).input({1, giga}).with(Add{}), InputError);
  EXPECT_THROW(OneNode().input({kDynamic, giga, 1}).input({1, giga}).with(Add{}), InputError);
}

}  // namespace
}  // namespace halftone::ir
