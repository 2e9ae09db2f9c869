// Passes that make layers with an integer form of what has none: the function stays.
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

constexpr double kReach = 1 << 12;  // of the sums of absolute values below

ir::Op any_arithmetic(int kind) {
  const ir::Op ops[] = {ir::Mul{}, ir::Add{}, ir::Sub{}, ir::Div{}};
  return ops[kind];
}

RC_GTEST_PROP(ConvolveChannelFactors, KeepsTheFunctionAndLeavesOnlyConvs, ()) {
  Graph g;
  const Shape space = choose(2) == 0 ? Shape{5} : Shape{3, 2};
  Shape x{kDynamic, 3};
  x.insert(x.end(), space.begin(), space.end());
  Shape constant = choose(2) == 0 ? Shape{} : Shape(space.size() + 1, 1);
  if (!constant.empty()) constant[0] = 3;
  const int kind = choose(4);
  const bool first = kind < 3 && choose(2) == 0;
  const ValueId in = g.add_input("x", DType::float32, x);
  const ValueId c = g.add_constant("c", positive(random_floats(constant, any_seed())));
  g.outputs = {g.add_node(any_arithmetic(kind), first ? std::vector{c, in} : std::vector{in, c}, "y")};
  const Graph after = convolve_channel_factors(g);
  RC_ASSERT(count<ir::Conv>(after) == 1 && after.nodes.size() == 1U);
  RC_ASSERT(difference(g, after, kReach) == std::nullopt);
}

TEST(ConvolveChannelFactors, TakesABatchNormThatStandsAlone) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 3, 2, 2});
  g.outputs = {add_batch_norm(g, x, 3, 7, "norm")};
  const Graph after = convolve_channel_factors(g);
  EXPECT_EQ(count<ir::Conv>(after), 1);
  expect_same(g, after, kReach);
}

TEST(ConvolveChannelFactors, LeavesConstantDividendsAndOtherShapes) {
  for (const auto& [x_shape, c_shape, op] : {std::tuple(Shape{2, 3, 4, 4}, Shape{3, 1, 1}, ir::Op(ir::Div{})),
                                             std::tuple(Shape{2, 3, 4, 4}, Shape{4}, ir::Op(ir::Mul{})),
                                             std::tuple(Shape{2, 3}, Shape{3}, ir::Op(ir::Mul{}))}) {
    Graph g;
    const ValueId x = g.add_input("x", DType::float32, x_shape);
    const ValueId c = g.add_constant("c", positive(random_floats(c_shape, 1)));
    const bool divides = std::holds_alternative<ir::Div>(op);
    g.outputs = {g.add_node(op, divides ? std::vector{c, x} : std::vector{x, c}, "y")};
    EXPECT_EQ(count<ir::Conv>(convolve_channel_factors(g)), 0);
  }
}

TEST(PoolMeans, OfAllOfSpaceAlone) {
  for (const std::vector<std::int64_t>& axes : {std::vector<std::int64_t>{2, 3}, {-1, -2}, {1, 2, 3}, {3}})
    for (bool keepdims : {false, true}) {
      Graph g;
      const ValueId x = g.add_input("x", DType::float32, {kDynamic, 3, 4, 4});
      g.outputs = {g.add_node(ir::ReduceMean{{.axes = axes, .keepdims = keepdims}}, {x}, "y")};
      const Graph after = pool_means(g);
      EXPECT_EQ(count<ir::GlobalAveragePool>(after), axes.size() == 2 ? 1 : 0);
      expect_same(g, after, kReach);
    }
}

TEST(UnrollSplits, OneSliceAPart) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 5});
  const ValueId first = g.add_node(ir::Split{.axis = 1, .sizes = {2, 0, 3}}, {x}, "first");
  for (int i = 1; i < 3; ++i) {
    const Shape shape{kDynamic, i == 1 ? 0 : 3};
    g.nodes.back().outputs.push_back(g.add_value("part" + std::to_string(i), DType::float32, shape));
  }
  g.outputs = g.nodes.back().outputs;
  ASSERT_EQ(g.outputs[0], first);
  const Graph after = unroll_splits(g);
  EXPECT_EQ(count<ir::Slice>(after), 3);
  expect_same(g, after);
}

// x [N, 3, 4] normalized over its last dimension as PyTorch's exporter writes it.
ValueId add_layer_norm(Graph& g, ValueId x, bool squares_by_pow) {
  const ir::ReduceMean mean{{.axes = {-1}}};
  const ValueId centred = g.add_node(ir::Sub{}, {x, g.add_node(mean, {x}, "mean")}, "centred");
  const ValueId square =
      squares_by_pow ? g.add_node(ir::Pow{}, {centred, g.add_constant("two", ir::scalar_of(2.0F))}, "square")
                     : g.add_node(ir::Mul{}, {centred, centred}, "square");
  const ValueId variance = g.add_node(mean, {square}, "variance");
  const ValueId sum =
      g.add_node(ir::Add{}, {variance, g.add_constant("epsilon", ir::scalar_of(0.125F))}, "sum");
  return g.add_node(ir::Div{}, {centred, g.add_node(ir::Sqrt{}, {sum}, "root")}, "normalized");
}

TEST(FuseLayerNorm, WithAndWithoutScaleAndBias) {
  for (int parts : {0, 1, 2, 3})
    for (bool pow : {false, true}) {
      Graph g;
      ValueId y = add_layer_norm(g, g.add_input("x", DType::float32, {kDynamic, 3, 4}), pow);
      if (parts > 0) y = g.add_node(ir::Mul{}, {y, g.add_constant("scale", random_floats({4}, 1))}, "scaled");
      if (parts > 1) y = g.add_node(ir::Add{}, {g.add_constant("bias", random_floats({4}, 2)), y}, "shifted");
      if (parts > 2) y = g.add_node(ir::Mul{}, {y, g.find("normalized").value()}, "reads it twice");
      g.outputs = {y};
      const Graph after = fuse_layer_norm(g);
      EXPECT_EQ(count<ir::LayerNormalization>(after), 1);
      EXPECT_EQ(after.nodes.size(), parts == 3 ? 4U : 1U);
      expect_same(g, after, kReach);
    }
}

TEST(FuseLayerNorm, LeavesOtherSumsOfSquares) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 3, 4});
  add_layer_norm(g, x, true);
  g.outputs = {g.find("normalized").value()};
  for (ir::Node& node : g.nodes)
    if (auto* mean = std::get_if<ir::ReduceMean>(&node.op)) mean->over.axes = {1};
  ir::infer_shapes(g);
  EXPECT_EQ(count<ir::LayerNormalization>(fuse_layer_norm(g)), 0);
}

TEST(FlattenMatmuls, TakesTheBiasWithIt) {
  for (bool bias : {false, true})
    for (std::int64_t batch : {kDynamic, std::int64_t{2}}) {
      Graph g;
      const ValueId x = g.add_input("x", DType::float32, {batch, 3, 2, 5});
      ValueId y = g.add_node(ir::MatMul{}, {x, g.add_constant("w", random_floats({5, 4}, 1))}, "product");
      if (bias) y = g.add_node(ir::Add{}, {g.add_constant("b", random_floats({4}, 2)), y}, "sum");
      g.outputs = {y};
      const Graph after = flatten_matmuls(g);
      EXPECT_EQ(count<ir::Gemm>(after), 1);
      EXPECT_EQ(count<ir::MatMul>(after) + count<ir::Add>(after), 0);
      expect_same(g, after, kReach);
    }
}

TEST(WidenFloats, ComputesHalfAndDoubleInFloat32) {
  for (DType dtype : {DType::float16, DType::bfloat16, DType::float64}) {
    Graph g;
    const ValueId x = g.add_input("x", dtype, {kDynamic, 4});
    const ValueId w = g.add_constant("w", random_floats({4, 2}, 3).cast(dtype));
    const ValueId y = g.add_node(ir::MatMul{}, {x, w}, "y");
    g.outputs = {g.add_node(ir::Cast{.to = dtype}, {y}, "z")};
    const Graph after = widen_floats(g);
    ir::check(after);
    for (const ir::Value& value : after.values) EXPECT_EQ(value.dtype, DType::float32) << value.name;
    EXPECT_EQ(after.nodes.size(), 1u);  // the Cast gave the output its type alone
    EXPECT_EQ(after.value(after.outputs[0]).name, "z");
    const Tensor in = random_floats({3, 4}, 5).cast(dtype);
    const Tensor before_y = ir::run(g, {in}).cast(DType::float32);
    const Tensor after_y = ir::run(after, {in.cast(DType::float32)}).cast(dtype).cast(DType::float32);
    EXPECT_EQ(before_y, after_y) << name_of(dtype);
  }
}

TEST(WidenFloats, TheLargestDoubleBecomesTheLargestFloat32) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  Graph g;
  const ValueId x = g.add_input("x", DType::float64, {3});
  const ValueId k = g.add_constant("k", Tensor::from<double>({3}, std::vector<double>{-kLargest, kLargest, -INFINITY}));
  g.outputs = {g.add_node(ir::Add{}, {x, k}, "y")};
  const Graph after = widen_floats(g);
  constexpr float kFloat = std::numeric_limits<float>::max();
  EXPECT_EQ(*after.constant(k), ir::floats({3}, {-kFloat, kFloat, -INFINITY}));
}

TEST(WidenFloats, RefusesOtherDoublesBeyondFloat32) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float64, {2});
  g.outputs = {g.add_node(ir::Add{}, {x, g.add_constant("k", Tensor::from<double>({2}, std::vector<double>{1.0, 1e39}))}, "y")};
  try {
    widen_floats(g);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "[constant 'k'] element 1, got 1e+39, expected a number that float32 holds");
  }
}

}  // namespace
}  // namespace halftone::passes
