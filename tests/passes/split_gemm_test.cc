// A Gemm becomes two of a lower rank.
#include "halftone/base/error.h"
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

// x [N, k] times random weights of this rank [k, m], and a bias.
Graph network(std::int64_t k, std::int64_t m, std::int64_t rank, bool trans_b, std::uint64_t seed) {
  const Tensor a = random_floats({k, rank}, seed);
  const Tensor b = random_floats({rank, m}, seed + 1);
  std::vector<float> w(static_cast<std::size_t>(k * m), 0.0F);
  for (std::int64_t i = 0; i < k; ++i)
    for (std::int64_t j = 0; j < m; ++j)
      for (std::int64_t r = 0; r < rank; ++r)
        w[static_cast<std::size_t>(trans_b ? j * k + i : i * m + j)] +=
            a.data<float>()[static_cast<std::size_t>(i * rank + r)] *
            b.data<float>()[static_cast<std::size_t>(r * m + j)];
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, k});
  const ValueId weights = g.add_constant("w", floats(trans_b ? Shape{m, k} : Shape{k, m}, w));
  g.outputs = {g.add_node(ir::Gemm{.trans_b = trans_b},
                          {x, weights, g.add_constant("b", random_floats({m}, seed + 2))}, "y")};
  return g;
}

std::int64_t weights_in(const Graph& g) {
  std::int64_t size = 0;
  for (const ir::Node& node : g.nodes) size += g.constant(node.inputs[1])->size();
  return size;
}

RC_GTEST_PROP(SplitGemm, OfTheWeightsRankKeepsTheFunction, ()) {
  const std::int64_t rank = 1 + choose(3);
  const std::int64_t k = 8 + choose(10);
  const std::int64_t m = 8 + choose(10);
  const Graph g = network(k, m, rank, choose(2) == 1, any_seed());
  for (const double to : {static_cast<double>(rank), 1.0 - 1e-12}) {
    const Graph low = split_gemm(g, to);
    RC_ASSERT(count<ir::Gemm>(low) == 2);
    RC_ASSERT(weights_in(low) <= rank * (k + m));
    // 17 products below 4·48 in all: √s·√s is no larger than the weights' norm, 17·48, twice rounded.
    RC_ASSERT(difference(g, low, 17.0 * 4 * 17 * 48) == std::nullopt);
  }
}

// ‖(W − W_r)‖ by the rows of the identity as inputs, to the energy that was asked for.
RC_GTEST_PROP(SplitGemm, KeepsThePartOfTheEnergyAskedFor, ()) {
  const double part = *rc::gen::element(0.5, 0.8, 0.9);
  const Graph g = network(16, 12, 12, choose(2) == 1, any_seed());
  const Graph low = split_gemm(g, part);
  if (count<ir::Gemm>(low) == 1) return;
  Tensor identity(DType::float32, {16, 16});
  for (std::size_t i = 0; i < 16; ++i) identity.mutable_data<float>()[i * 17] = 1.0F;
  const Tensor all = ir::run(g, {identity});
  const Tensor some = ir::run(low, {identity});
  const auto bias = g.constant(g.nodes[0].inputs[2])->data<float>();
  double lost = 0.0;
  double energy = 0.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(all.size()); ++i) {
    lost += std::pow(double{all.data<float>()[i]} - some.data<float>()[i], 2);
    energy += std::pow(double{all.data<float>()[i]} - bias[i % 12], 2);
  }
  RC_ASSERT(lost <= (1.0 - part) * energy * (1.0 + 1e-4));
}

TEST(SplitGemm, OnlyWhereItLowersTheNumberOfWeights) {
  const Graph g = network(8, 8, 8, false, 3);
  EXPECT_EQ(count<ir::Gemm>(split_gemm(g, 3)), 2);  // 48 of 64
  EXPECT_EQ(count<ir::Gemm>(split_gemm(g, 4)), 1);  // 64 of 64
  EXPECT_EQ(count<ir::Gemm>(split_gemm(g, 100)), 1);
  EXPECT_EQ(count<ir::Gemm>(split_gemm(g, 0.9999999)), 1);
  for (double rank : {0.0, -1.0, 1.5, static_cast<double>(NAN), HUGE_VAL})
    EXPECT_THROW(split_gemm(g, rank), UsageError);
}

TEST(SplitGemm, LeavesOtherNodesAlone) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 3, 8});
  const ValueId y = g.add_node(ir::MatMul{}, {x, g.add_constant("w", random_floats({8, 8}, 1))}, "y");
  g.outputs = {g.add_node(ir::Relu{}, {y}, "z")};
  expect_same(g, split_gemm(g, 1));
}

}  // namespace
}  // namespace halftone::passes
