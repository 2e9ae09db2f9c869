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
    const Tensor in = random_floats({3, 4}, 5).cast(dtype);
    const Tensor before_y = ir::run(g, {in}).cast(DType::float32);
    const Tensor after_y = ir::run(after, {in.cast(DType::float32)}).cast(dtype).cast(DType::float32);
    EXPECT_EQ(before_y, after_y) << name_of(dtype);
  }
}

}  // namespace
}  // namespace halftone::passes
