// Alpha and beta of Gemm go into its weights and bias, and no pass forgets them.
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

RC_GTEST_PROP(FoldGemmFactors, KeepsTheFunctionAndLeavesNoFactors, ()) {
  for (int kind : {1, 2})
    for (bool bias : {false, true}) {
      Graph g;
      const float alpha = static_cast<float>(choose(17) - 8) * 0.25F;
      const float beta = static_cast<float>(choose(17) - 8) * 0.25F;
      g.outputs = {add_linear(g, kind, bias, any_seed(), alpha, beta)};
      const Graph folded = fold_gemm_factors(g);
      const auto& op = std::get<ir::Gemm>(folded.nodes.at(0).op);
      RC_ASSERT(op.alpha == 1.0F);
      RC_ASSERT(op.beta == 1.0F);
      RC_ASSERT(difference(g, folded, kMagnitude) == std::nullopt);
    }
}

// Each pass alone keeps the function, whatever ran before it.
TEST(FoldGemmFactors, FactorsStayRightUnderEveryOtherPass) {
  for (int kind : {1, 2})
    for (bool bias : {false, true})
      for (bool norm : {false, true}) {
        Graph g;
        const ValueId y = add_linear(g, kind, bias, 3, 0.5F, 2.0F);
        const ValueId c = g.add_constant("c", random_floats({3}, 2));
        g.outputs = {norm ? add_batch_norm(g, y, 3, 5, "end") : g.add_node(ir::Add{}, {y, c}, "end")};
        expect_same(g, fold_batch_norm(g), kMagnitude);
        expect_same(g, fuse_bias(g), kMagnitude);
        expect_same(g, simplify(g), kMagnitude);
      }
}

// C of shape [3, 1] adds a number to each row, not to each channel.
TEST(FoldGemmFactors, ABiasDownTheRowsIsNoBiasOfTheChannels) {
  for (int follow : {0, 1, 2}) {
    Graph g;
    const ValueId x = g.add_input("x", DType::float32, {3, 5});
    const ValueId w = g.add_constant("w", random_floats({5, 3}, 1));
    const ValueId b = g.add_constant("b", floats({3, 1}, {1, 20, 300}));
    const ValueId y = g.add_node(ir::Gemm{.beta = follow == 0 ? 2.0F : 1.0F}, {x, w, b}, "y");
    ValueId end = y;
    if (follow == 1) end = add_batch_norm(g, y, 3, 5, "end");
    if (follow == 2) end = g.add_node(ir::Add{}, {y, g.add_constant("c", random_floats({3}, 2))}, "end");
    g.outputs = {end};
    expect_same(g, fold_gemm_factors(g), kMagnitude * 4);
    expect_same(g, simplify(g), kMagnitude * 4);
  }
}

}  // namespace
}  // namespace halftone::passes
