// Signed integers between a Quantize and its Dequantizes become unsigned ones that stand for the same reals.
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

struct Pair {
  ValueId q, x;
};

Tensor int8_scalar(int v) { return numeric::from_int32({}, std::vector<std::int32_t>{v}, DType::int8); }

Pair add_pair(Graph& g, ValueId x, float scale, std::optional<int> zero, const ir::QuantizeLinear& op, const std::string& name) {
  std::vector<ValueId> rest{g.add_constant(name + "_s", ir::scalar_of(scale))};
  if (zero) rest.push_back(g.add_constant(name + "_z", int8_scalar(*zero)));
  const auto with = [&](ValueId first) {
    std::vector<ValueId> inputs{first};
    inputs.insert(inputs.end(), rest.begin(), rest.end());
    return inputs;
  };
  const ValueId q = g.add_node(op, with(x), name);
  return {q, g.add_node(ir::DequantizeLinear{}, with(q), name + "_real")};
}

const Tensor& zero_point_of(const Graph& g, std::size_t node) { return *g.constant(g.nodes.at(node).inputs.at(2)); }

TEST(UnsignedActivations, KeepsTheFunction) {
  for (std::optional<int> zero : {std::optional<int>(), std::optional(0), std::optional(-128), std::optional(127), std::optional(5)}) {
    Graph g;
    const Pair pair = add_pair(g, g.add_input("x", DType::float32, {kDynamic, 5}), 0.25F, zero, {.to = DType::int8}, "q");
    const ValueId weights =
        g.add_constant("w_q", numeric::from_int32({5, 2}, std::vector<std::int32_t>{1, -2, 3, -4, 5, -6, 7, -8, 9, -128}, DType::int8));
    const ValueId w = g.add_node(ir::DequantizeLinear{}, {weights, g.add_constant("w_s", ir::scalar_of(0.5F))}, "w");
    g.outputs = {add_pair(g, g.add_node(ir::MatMul{}, {pair.x, w}, "y"), 2.0F, 3, {.to = DType::int8}, "r").x};
    const Graph made = unsigned_activations(g);
    expect_same(g, made);
    EXPECT_EQ(made.value(made.nodes[0].outputs[0]).dtype, DType::uint8);
    EXPECT_EQ(zero_point_of(made, 0).data<std::uint8_t>()[0], 128 + zero.value_or(0));
    EXPECT_EQ(zero_point_of(made, 1).data<std::uint8_t>()[0], 128 + zero.value_or(0));
    // The weights stay signed.
    EXPECT_EQ(made.value(made.nodes[2].inputs[0]).dtype, DType::int8);
  }
}

TEST(UnsignedActivations, MoveByHalfOfTheirOwnBits) {
  Graph g;
  g.outputs = {add_pair(g, g.add_input("x", DType::float32, {kDynamic, 5}), 0.25F, -3, {.to = DType::int8, .bits = 6}, "q").x};
  const Graph made = unsigned_activations(g);
  expect_same(g, made);
  EXPECT_EQ(zero_point_of(made, 0).data<std::uint8_t>()[0], 32 - 3);
}

TEST(UnsignedActivations, StayWhereOthersReadThem) {
  Graph g;
  const Pair pair = add_pair(g, g.add_input("x", DType::float32, {kDynamic, 5}), 0.25F, 1, {.to = DType::int8}, "q");
  g.outputs = {pair.x, pair.q};
  EXPECT_EQ(unsigned_activations(g).value(pair.q).dtype, DType::int8);
  Graph moved;
  const Pair other = add_pair(moved, moved.add_input("x", DType::float32, {kDynamic, 5}), 0.25F, 1, {.to = DType::int8}, "q");
  moved.outputs = {other.x, moved.add_node(ir::Flatten{}, {other.q}, "flat")};
  EXPECT_EQ(unsigned_activations(moved).value(other.q).dtype, DType::int8);
}

}  // namespace
}  // namespace halftone::passes
