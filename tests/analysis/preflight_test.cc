// Findings about networks before any sample is seen, and the ways out.
#include "halftone/analysis/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/analysis/network.h"

namespace halftone::analysis {
namespace {

using testing::_;
using testing::FieldsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// A layer, a Softmax before a product of two computed matrices, and a LogSoftmax that only reads the answer off.
ir::Graph with_islands() {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 4});
  const ir::ValueId w = g.add_input("computed", DType::float32, {3, 2});
  const ir::ValueId h = g.add_node(ir::MatMul{}, {x, g.add_constant("w", ir::random_floats({4, 3}, 1))}, "h");
  const ir::ValueId soft = g.add_node(ir::Softmax{}, {h}, "soft");
  g.outputs = {g.add_node(ir::MatMul{}, {soft, w}, "product"), g.add_node(ir::LogSoftmax{}, {h}, "last")};
  return g;
}

// A finding about a node, with whatever name and reason.
auto found(Verdict verdict, const char* op, Remedy remedy) { return FieldsAre(verdict, op, _, _, remedy); }

TEST(Preflight, FindsNothingWhereIntegersWillDo) {
  const Checked checked = check_float(float_network());
  EXPECT_TRUE(checked.findings.empty());
  EXPECT_TRUE(checked.integers_alone());
  EXPECT_TRUE(checked.complete);
  EXPECT_FALSE(checked.quantized);
  EXPECT_EQ(checked.nodes, passes::simplify(float_network()).nodes.size());
}

TEST(Preflight, FindsIslandsWithTheWayOutOfEach) {
  const Checked checked = check_float(with_islands());
  EXPECT_THAT(checked.findings, UnorderedElementsAre(found(Verdict::floating, "Softmax", Remedy::keep_float),
                                                     found(Verdict::floating, "MatMul", Remedy::constant_weights),
                                                     found(Verdict::float_end, "LogSoftmax", Remedy::none)));
  EXPECT_EQ(checked.count(Verdict::floating), 2U);
  EXPECT_FALSE(checked.integers_alone());
  EXPECT_TRUE(checked.complete);
}

TEST(Preflight, FindsIslandsOfAQuantizedNetwork) {
  const ir::Graph quantized = quant::trial(passes::simplify(with_islands()), {});
  const Checked checked = check_quantized(quantized, lower::lower(quantized));
  EXPECT_TRUE(checked.quantized);
  EXPECT_EQ(checked.nodes, quantized.nodes.size());
  EXPECT_THAT(checked.findings, UnorderedElementsAre(found(Verdict::floating, "Softmax", Remedy::leave_out),
                                                     found(Verdict::floating, "MatMul", Remedy::quantize_again),
                                                     found(Verdict::float_end, "LogSoftmax", Remedy::none)));
}

TEST(Preflight, KeepsARefusalWithItsWayOut) {
  Checked checked;
  add_refusal(checked, UnsupportedError("Reshape", "shape computed at run time", Remedy::fold_constants));
  add_refusal(checked, UnsupportedError("Pad", "of no form that is known"));
  EXPECT_FALSE(checked.complete);
  ASSERT_EQ(checked.count(Verdict::unsupported), 2U);
  EXPECT_THAT(checked.findings[0].reason, HasSubstr("[Reshape] shape computed"));
  EXPECT_EQ(checked.findings[0].remedy, Remedy::fold_constants);
  EXPECT_EQ(checked.findings[1].remedy, Remedy::other_form);
}

TEST(Preflight, KnowsAWayOutOfOperatorsThatAreNotRead) {
  EXPECT_EQ(unread("", "Loop", "l").remedy, Remedy::fixed_control_flow);
  EXPECT_EQ(unread("", "GRU", "g").remedy, Remedy::unrolled_recurrence);
  EXPECT_EQ(unread("com.microsoft", "com.microsoft.Attention", "a").remedy, Remedy::standard_operators);
  EXPECT_EQ(unread("", "Det", "d").remedy, Remedy::other_operators);
}

}  // namespace
}  // namespace halftone::analysis
