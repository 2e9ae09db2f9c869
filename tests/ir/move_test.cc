// Identity, Flatten, Reshape: other shapes, the same elements in the same order.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

Shape reshaped(const Shape& x, const std::vector<std::int64_t>& request, bool allow_zero = false) {
  const Graph g = OneNode().input(x).constant(int64s(request)).with(Reshape{allow_zero});
  return g.value(g.outputs[0]).shape;
}

TEST(Reshape, ShapesAsOnnxDefinesThem) {
  EXPECT_EQ(reshaped({2, 3, 4}, {4, 2, 3}), (Shape{4, 2, 3}));
  EXPECT_EQ(reshaped({2, 3, 4}, {2, -1}), (Shape{2, 12}));
  EXPECT_EQ(reshaped({2, 3, 4}, {0, -1}), (Shape{2, 12}));
  EXPECT_EQ(reshaped({2, 3, 4}, {-1}), (Shape{24}));
  EXPECT_EQ(reshaped({2, 3, 4}, {0, 0, 4}), (Shape{2, 3, 4}));
  EXPECT_EQ(reshaped({1}, {}), (Shape{}));
  EXPECT_EQ(reshaped({0, 3}, {3, 0}, true), (Shape{3, 0}));
  EXPECT_EQ(reshaped({2, 3, 4}, {-1, 2, 0}), (Shape{3, 2, 4}));
}

TEST(Reshape, KeepsASymbolicBatch) {
  EXPECT_EQ(reshaped({kDynamic, 2, 6}, {0, -1}), (Shape{kDynamic, 12}));
  EXPECT_EQ(reshaped({kDynamic, 2, 6}, {-1, 12}), (Shape{kDynamic, 12}));
  EXPECT_EQ(reshaped({kDynamic, 2, 6}, {0, 3, 4}), (Shape{kDynamic, 3, 4}));
  EXPECT_EQ(reshaped({kDynamic, 4}, {-1, 2}), (Shape{kDynamic, 2}));
}

TEST(Reshape, WhatDoesNotFitIsRefused) {
  const std::pair<Shape, std::vector<std::int64_t>> cases[] = {
      {{2, 3}, {5}},       {{2, 3}, {4, -1}},       {{2, 3}, {-1, -1}}, {{2, 3}, {-2, 3}},
      {{2, 3}, {0, 0, 0}}, {{kDynamic, 2}, {0, 3}}, {{2, 3}, {}},       {{0, 3}, {0, -1}}};
  for (const auto& [x, request] : cases)
    EXPECT_THROW(reshaped(x, request), InputError) << to_string(x) << " to " << to_string(request);
  EXPECT_THROW(reshaped({2, 3}, {0, 3}, true), InputError);
}

TEST(Reshape, TheShapeMustBeAConstantOfInt64) {
  EXPECT_THROW(OneNode().input({2, 3}).input({2}, DType::int64).with(Reshape{}), UnsupportedError);
  EXPECT_THROW(OneNode().input({2, 3}).constant(floats({1}, {6})).with(Reshape{}), InputError);
  EXPECT_THROW(OneNode()
                   .input({2, 3})
                   .constant(Tensor::from<std::int64_t>({}, std::vector<std::int64_t>{6}))
                   .with(Reshape{}),
               InputError);
}

RC_GTEST_PROP(Reshape, KeepsEveryElementOfEveryType, ()) {
  const std::int64_t a = 1 + choose(4), b = 1 + choose(4), c = 1 + choose(4);
  const DType dtype = std::array{DType::float32, DType::int8, DType::uint16, DType::int32,
                                 DType::float64}[static_cast<std::size_t>(choose(5))];
  Tensor x(dtype, {a, b, c});
  int next = 0;
  for (std::byte& byte : x.mutable_bytes()) byte = static_cast<std::byte>(next++);
  const Graph g = OneNode().input(x.shape(), dtype).constant(int64s({-1, c})).with(Reshape{});
  check(g);
  RC_ASSERT(run(g, {x}) == x.reshaped({a * b, c}));
}

TEST(Flatten, ShapesForEveryAxis) {
  const auto flattened = [](const Shape& x, std::int64_t axis) {
    const Graph g = OneNode().input(x).with(Flatten{axis});
    return g.value(g.outputs[0]).shape;
  };
  EXPECT_EQ(flattened({2, 3, 4}, 0), (Shape{1, 24}));
  EXPECT_EQ(flattened({2, 3, 4}, 1), (Shape{2, 12}));
  EXPECT_EQ(flattened({2, 3, 4}, 3), (Shape{24, 1}));
  EXPECT_EQ(flattened({2, 3, 4}, -1), (Shape{6, 4}));
  EXPECT_EQ(flattened({2, 3, 4}, -3), (Shape{1, 24}));
  EXPECT_EQ(flattened({}, 0), (Shape{1, 1}));
  EXPECT_EQ(flattened({kDynamic, 3, 4}, 1), (Shape{kDynamic, 12}));
  EXPECT_EQ(flattened({kDynamic, 3, 4}, 2), (Shape{kDynamic, 4}));
  EXPECT_THROW(flattened({2, 3}, 3), InputError);
  EXPECT_THROW(flattened({2, 3}, -3), InputError);
}

TEST(Identity, IsTheSameTensor) {
  for (DType dtype : {DType::float32, DType::int8, DType::int64})
    EXPECT_TRUE(apply_op(Identity{}, {Tensor(dtype, {2, 3})}) == Tensor(dtype, {2, 3}));
}

}  // namespace
}  // namespace halftone::ir
