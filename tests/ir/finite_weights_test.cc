#include "halftone/ir/finite_weights.h"

#include <gmock/gmock.h>

#include <cmath>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::HasSubstr;

std::string refusal(const Graph& graph) {
  try {
    check_finite_weights(graph);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(FiniteWeights, OthersAreNamedWithTheirReader) {
  for (float bad : {INFINITY, -INFINITY, NAN}) {
    Graph g;
    const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
    const ValueId w = g.add_constant("w", floats({2, 2}, {1, 2, bad, 4}));
    g.outputs = {g.add_node(Gemm{}, {x, w}, "fc")};
    EXPECT_THAT(refusal(g), testing::AllOf(HasSubstr("[weights 'w'] element 2"), HasSubstr("Gemm 'fc'")));
    g.value(w).constant = floats({2, 2}, {1, 2, 3, 4});
    EXPECT_EQ(refusal(g), "");
    g.nodes[0].inputs.push_back(g.add_constant("b", floats({2}, {0, bad})));
    EXPECT_THAT(refusal(g), HasSubstr("[weights 'b'] element 1"));
  }
}

TEST(FiniteWeights, AreLookedForBehindWhatMovesThem) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ValueId w = g.add_constant("w", floats({2, 2}, {1, 2, INFINITY, 4}).cast(DType::float16));
  const ValueId wide = g.add_node(Cast{.to = DType::float32}, {w}, "wide");
  const ValueId turned = g.add_node(Transpose{.permutation = {1, 0}}, {wide}, "turned");
  g.outputs = {g.add_node(MatMul{}, {x, turned}, "y")};
  EXPECT_THAT(refusal(g), HasSubstr("[weights 'w'] element 2"));
}

TEST(FiniteWeights, VariancesAreNotNegative) {
  Graph g;
  std::vector<ValueId> inputs{g.add_input("x", DType::float32, {kDynamic, 2, 3, 3})};
  for (const char* name : {"scale", "shift", "mean"}) inputs.push_back(g.add_constant(name, floats({2}, {1, 1})));
  inputs.push_back(g.add_constant("variance", floats({2}, {0, -1e-6F})));
  g.outputs = {g.add_node(BatchNormalization{}, inputs, "y")};
  EXPECT_EQ(refusal(g), "");  // epsilon is more
  g.value(inputs[4]).constant = floats({2}, {1, -1});
  EXPECT_THAT(refusal(g), HasSubstr("[weights 'variance'] element 1, the variance of BatchNormalization"));
}

TEST(FiniteWeights, MasksAndBoundsMayBeInfinite) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ValueId masked = g.add_node(Add{}, {x, g.add_constant("mask", floats({2}, {0, -INFINITY}))}, "masked");
  g.outputs = {g.add_node(Min{}, {masked, g.add_constant("bound", scalar_of(INFINITY))}, "y")};
  EXPECT_EQ(refusal(g), "");
}

}  // namespace
}  // namespace halftone::ir
