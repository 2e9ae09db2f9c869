// All passes together.
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

// As CNTK writes a convolutional network: Conv, Add of [8, 1, 1], and MatMul of two Reshapes, one of a
// constant.
TEST(Simplify, TheCntkPatternBecomesConvAndGemm) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {1, 1, 6, 6});
  const ValueId w = g.add_constant("w", random_floats({8, 1, 3, 3}, 1));
  const ValueId conv =
      g.add_node(ir::Conv{{.kernel = {3, 3}, .auto_pad = ir::AutoPad::same_upper}}, {x, w}, "conv");
  const ValueId plus =
      g.add_node(ir::Add{}, {conv, g.add_constant("b", random_floats({8, 1, 1}, 2))}, "plus");
  const ValueId relu = g.add_node(ir::Relu{}, {plus}, "relu");
  const ValueId pool = g.add_node(ir::MaxPool{{.kernel = {3, 3}, .strides = {3, 3}}}, {relu}, "pool");
  const ValueId flat = g.add_node(ir::Reshape{}, {pool, g.add_constant("s1", ir::int64s({1, 32}))}, "flat");
  const ValueId v = g.add_constant("v", random_floats({8, 2, 2, 5}, 3));
  const ValueId matrix = g.add_node(ir::Reshape{}, {v, g.add_constant("s2", ir::int64s({32, 5}))}, "matrix");
  const ValueId product = g.add_node(ir::MatMul{}, {flat, matrix}, "product");
  g.outputs = {g.add_node(ir::Add{}, {product, g.add_constant("c", random_floats({1, 5}, 4))}, "scores")};
  const Graph simple = simplify(g);
  std::vector<std::string_view> ops;
  for (const ir::Node& node : simple.nodes) ops.push_back(ir::name_of(node.op));
  EXPECT_THAT(ops, testing::ElementsAre("Conv", "Relu", "MaxPool", "Reshape", "Gemm"));
  expect_same(g, simple, 32 * 16 * 160);
}

// One more layer on v: what the passes look for, and what must stop them.
ValueId add_layer(Graph& g, ValueId v, const std::string& name) {
  const std::int64_t channels = g.value(v).shape[1];
  switch (choose(7)) {
    case 0: {
      const std::int64_t out = 1 + choose(3);
      Tensor w = random_floats({out, channels, 1, 1}, any_seed());
      for (float& value : w.mutable_data<float>()) value *= 0.125F;
      std::vector<ValueId> inputs{v, g.add_constant(name + "_w", w)};
      if (choose(2) == 0) inputs.push_back(g.add_constant(name + "_b", random_floats({out}, any_seed())));
      return g.add_node(ir::Conv{}, inputs, name);
    }
    case 1:
      return add_batch_norm(g, v, channels, any_seed(), name);
    case 2:
      return g.add_node(ir::Add{},
                        {v, g.add_constant(name + "_c", random_floats({channels, 1, 1}, any_seed()))}, name);
    case 3:
      return g.add_node(ir::Identity{}, {v}, name);
    case 4:
      return g.add_node(ir::Tanh{}, {v}, name);
    case 5:
      return g.add_node(ir::Add{}, {v, v}, name);
    default: {
      const ValueId k = g.add_constant(name + "_k", random_floats({1, channels, 1, 1}, any_seed()));
      return g.add_node(ir::Add{}, {v, g.add_node(ir::Relu{}, {k}, name + "_r")}, name);
    }
  }
}

RC_GTEST_PROP(Simplify, KeepsTheFunctionOfRandomNetworks, ()) {
  Graph g;
  ValueId v = g.add_input("x", DType::float32, {kDynamic, 2, 5, 5});
  std::vector<ValueId> outputs;
  const int layers = 1 + choose(7);
  for (int i = 0; i < layers; ++i) {
    v = add_layer(g, v, "n" + std::to_string(i));
    if (i + 1 == layers || choose(4) == 0) outputs.push_back(v);
  }
  g.outputs = outputs;
  // Each layer can grow values by 8 (a normalization) and errors with them; at most seven layers.
  RC_ASSERT(difference(g, simplify(g), std::ldexp(64.0, 3 * layers)) == std::nullopt);
}

TEST(Simplify, TwiceIsOnce) {
  Graph g;
  const ValueId y = add_linear(g, 0, true, 1);
  g.outputs = {g.add_node(ir::Relu{}, {add_batch_norm(g, y, 3, 5, "bn")}, "out")};
  const Graph once = simplify(g);
  const Graph twice = simplify(once);
  ASSERT_EQ(twice.nodes.size(), once.nodes.size());
  expect_same(once, twice);
}

TEST(Simplify, KeepsNamesOfInputsAndOutputsAndTheMetadata) {
  Graph g;
  const ValueId y = add_linear(g, 0, true, 1);
  g.outputs = {add_batch_norm(g, y, 3, 5, "bn")};
  g.metadata["k"] = "v";
  g.name = "net";
  const Graph simple = simplify(g);
  EXPECT_EQ(simple.name, "net");
  EXPECT_EQ(simple.metadata, g.metadata);
  EXPECT_EQ(simple.value(simple.inputs[0]).name, "x");
  EXPECT_EQ(simple.value(simple.outputs[0]).name, "bn");
}

}  // namespace
}  // namespace halftone::passes
