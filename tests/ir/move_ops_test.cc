// Transpose, Concat, Squeeze, Unsqueeze; the largest of a plane.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::ElementsAre;

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

Shape shape_of(const Op& op, const Shape& x) {
  const Graph g = OneNode().input(x).with(op);
  return g.value(g.outputs[0]).shape;
}

Tensor counting(DType dtype, Shape shape) {
  Tensor tensor(dtype, std::move(shape));
  int next = 0;
  for (std::byte& byte : tensor.mutable_bytes()) byte = static_cast<std::byte>(next++);
  return tensor;
}

DType any_type() {
  return std::array{DType::float32, DType::int8, DType::uint16, DType::int64,
                    DType::float16}[static_cast<std::size_t>(choose(5))];
}

std::vector<std::int64_t> any_permutation(std::size_t rank) {
  std::vector<std::int64_t> permutation;
  for (std::size_t d = 0; d < rank; ++d)
    permutation.insert(permutation.begin() + choose(static_cast<int>(d) + 1), static_cast<std::int64_t>(d));
  return permutation;
}

TEST(Transpose, OfAMatrix) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor expected = floats({3, 2}, {1, 4, 2, 5, 3, 6});
  EXPECT_TRUE(apply_op(Transpose{}, {x}) == expected);
  EXPECT_TRUE(apply_op(Transpose{{1, 0}}, {x}) == expected);
  EXPECT_TRUE(apply_op(Transpose{{0, 1}}, {x}) == x);
}

RC_GTEST_PROP(Transpose, EveryElementStandsAtItsPermutedPlace, ()) {
  const Shape shape{1 + choose(3), 1 + choose(4), 1 + choose(4)};
  const std::vector<std::int64_t> p = any_permutation(3);
  const Tensor x = random_floats(shape, 1);
  const Tensor y = apply_op(Transpose{p}, {x});
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const std::int64_t at[] = {i / (y.dim(1) * y.dim(2)), i / y.dim(2) % y.dim(1), i % y.dim(2)};
    std::int64_t from[3] = {};
    for (std::size_t d = 0; d < 3; ++d) from[p[d]] = at[d];
    RC_ASSERT(y.data<float>()[static_cast<std::size_t>(i)] ==
              x.data<float>()[static_cast<std::size_t>((from[0] * shape[1] + from[1]) * shape[2] + from[2])]);
  }
}

RC_GTEST_PROP(Transpose, TheInversePermutationBringsEverythingBack, ()) {
  const std::size_t rank = static_cast<std::size_t>(choose(5));
  Shape shape;
  for (std::size_t d = 0; d < rank; ++d) shape.push_back(choose(4));  // dimensions of 0 too
  const std::vector<std::int64_t> p = any_permutation(rank);
  std::vector<std::int64_t> inverse(rank);
  for (std::size_t d = 0; d < rank; ++d)
    inverse[static_cast<std::size_t>(p[d])] = static_cast<std::int64_t>(d);
  const Tensor x = counting(any_type(), shape);
  RC_ASSERT(apply_op(Transpose{inverse}, {apply_op(Transpose{p}, {x})}) == x);
  RC_ASSERT(apply_op(Transpose{}, {apply_op(Transpose{}, {x})}) == x);
}

TEST(Transpose, KeepsASymbolicBatch) {
  EXPECT_EQ(shape_of(Transpose{{0, 2, 1}}, {kDynamic, 3, 4}), (Shape{kDynamic, 4, 3}));
  EXPECT_EQ(shape_of(Transpose{}, {kDynamic, 3}), (Shape{3, kDynamic}));
}

TEST(Transpose, WhatIsNoPermutationIsRefused) {
  const std::vector<std::vector<std::int64_t>> wrong{{0}, {0, 0}, {0, 2}, {0, 1, 2}, {0, -3}};
  for (const auto& permutation : wrong)
    EXPECT_THROW(shape_of(Transpose{permutation}, {2, 3}), InputError) << to_string(permutation);
}

TEST(Concat, OfMatricesAlongEitherAxis) {
  const Tensor a = floats({2, 2}, {1, 2, 3, 4});
  const Tensor b = floats({2, 1}, {5, 6});
  const Tensor c = floats({1, 2}, {7, 8});
  EXPECT_TRUE(apply_op(Concat{1}, {a, b}) == floats({2, 3}, {1, 2, 5, 3, 4, 6}));
  EXPECT_TRUE(apply_op(Concat{-1}, {b, a}) == floats({2, 3}, {5, 1, 2, 6, 3, 4}));
  EXPECT_TRUE(apply_op(Concat{0}, {a, c}) == floats({3, 2}, {1, 2, 3, 4, 7, 8}));
  EXPECT_TRUE(apply_op(Concat{0}, {a}) == a);
  EXPECT_TRUE(apply_op(Concat{0}, {c, c, c}) == floats({3, 2}, {7, 8, 7, 8, 7, 8}));
  EXPECT_TRUE(apply_op(Concat{0}, {a, Tensor(DType::float32, {0, 2})}) == a);
}

RC_GTEST_PROP(Concat, IsTheTransposedConcatOfTransposes, ()) {
  const std::int64_t rows = 1 + choose(4);
  const DType dtype = any_type();
  const Tensor a = counting(dtype, {rows, choose(4)});
  const Tensor b = counting(dtype, {rows, 1 + choose(4)});
  const Tensor wide = apply_op(Concat{1}, {a, b});
  const Tensor tall = apply_op(Concat{0}, {apply_op(Transpose{}, {a}), apply_op(Transpose{}, {b})});
  RC_ASSERT(apply_op(Transpose{}, {wide}) == tall);
}

RC_GTEST_PROP(Concat, IsAssociative, ()) {
  const std::int64_t axis = choose(3);
  const auto any = [&](std::uint64_t seed) {
    Shape shape{2, 3, 2};
    shape[static_cast<std::size_t>(axis)] = 1 + choose(3);
    return random_floats(shape, seed);
  };
  const Tensor a = any(1), b = any(2), c = any(3);
  const Tensor all = apply_op(Concat{axis}, {a, b, c});
  RC_ASSERT(apply_op(Concat{axis - 3}, {apply_op(Concat{axis}, {a, b}), c}) == all);
  RC_ASSERT(apply_op(Concat{axis}, {a, apply_op(Concat{axis}, {b, c})}) == all);
}

TEST(Concat, SymbolicBatches) {
  const auto joined = [](const Shape& a, const Shape& b, std::int64_t axis) {
    const Graph g = OneNode().input(a).input(b).with(Concat{axis});
    return g.value(g.outputs[0]).shape;
  };
  EXPECT_EQ(joined({kDynamic, 2}, {kDynamic, 3}, 1), (Shape{kDynamic, 5}));
  EXPECT_EQ(joined({kDynamic, 2}, {3, 2}, 0), (Shape{kDynamic, 2}));
}

TEST(Concat, WhatDoesNotFitIsRefused) {
  EXPECT_THROW(OneNode().input({2, 2}).input({3, 2}).with(Concat{1}), InputError);
  EXPECT_THROW(OneNode().input({2, 2}).input({2}).with(Concat{0}), InputError);
  EXPECT_THROW(OneNode().input({2, 2}).input({2, 2}).with(Concat{2}), InputError);
  EXPECT_THROW(OneNode().input({2, 2}).input({2, 2}).with(Concat{-3}), InputError);
  EXPECT_THROW(OneNode().input({}).input({}).with(Concat{0}), InputError);
  EXPECT_THROW(OneNode().input({2}).input({2}, DType::int8).with(Concat{0}), InputError);
  EXPECT_THROW(OneNode().with(Concat{0}), InputError);
  EXPECT_THROW(OneNode().input({2}).absent().with(Concat{0}), InputError);
}

TEST(Squeeze, ShapesAsOnnxDefinesThem) {
  EXPECT_EQ(shape_of(Squeeze{}, {1, 3, 1, 2}), (Shape{3, 2}));
  EXPECT_EQ(shape_of(Squeeze{{0}}, {1, 3, 1, 2}), (Shape{3, 1, 2}));
  EXPECT_EQ(shape_of(Squeeze{{-2}}, {1, 3, 1, 2}), (Shape{1, 3, 2}));
  EXPECT_EQ(shape_of(Squeeze{{2, 0}}, {1, 3, 1, 2}), (Shape{3, 2}));
  EXPECT_EQ(shape_of(Squeeze{}, {1}), (Shape{}));
  EXPECT_EQ(shape_of(Squeeze{{1}}, {kDynamic, 1}), (Shape{kDynamic}));
  EXPECT_THROW(shape_of(Squeeze{{1}}, {1, 3}), InputError);
  EXPECT_THROW(shape_of(Squeeze{{0}}, {kDynamic, 3}), InputError);
  EXPECT_THROW(shape_of(Squeeze{{2}}, {1, 1}), InputError);
  EXPECT_THROW(shape_of(Squeeze{{0, -2}}, {1, 1}), InputError);
}

TEST(Unsqueeze, ShapesAsOnnxDefinesThem) {
  EXPECT_EQ(shape_of(Unsqueeze{{0, 4}}, {3, 4, 5}), (Shape{1, 3, 4, 5, 1}));
  EXPECT_EQ(shape_of(Unsqueeze{{-1}}, {3, 4}), (Shape{3, 4, 1}));
  EXPECT_EQ(shape_of(Unsqueeze{{2, 0}}, {kDynamic, 4}), (Shape{1, kDynamic, 1, 4}));
  EXPECT_EQ(shape_of(Unsqueeze{{0}}, {}), (Shape{1}));
  EXPECT_THROW(shape_of(Unsqueeze{{3}}, {3, 4}), InputError);
  EXPECT_THROW(shape_of(Unsqueeze{{0, 0}}, {3, 4}), InputError);
  EXPECT_THROW(shape_of(Unsqueeze{{0, -3}}, {3}), InputError);
}

RC_GTEST_PROP(Squeeze, UndoesUnsqueeze, ()) {
  const std::vector<std::int64_t> axes{choose(2), 2 + choose(2)};
  const Tensor x = counting(any_type(), {1 + choose(3), 1 + choose(3)});
  const Tensor y = apply_op(Unsqueeze{axes}, {x});
  RC_ASSERT(y == x.reshaped(y.shape()));
  RC_ASSERT(apply_op(Squeeze{axes}, {y}) == x);
}

// The example of the ONNX operator's text, by its first plane.
TEST(DepthToSpace, PutsChannelsInBlocksAsOnnxDefinesThem) {
  const Tensor x = counting(DType::float32, {1, 8, 1, 2});  // channel c holds 2c, 2c + 1
  EXPECT_THAT(values_of<float>(apply_op(DepthToSpace{2}, {x})),
              ElementsAre(0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15));
  EXPECT_THAT(values_of<float>(apply_op(DepthToSpace{2, true}, {x})),
              ElementsAre(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15));
  EXPECT_EQ(shape_of(DepthToSpace{3}, {kDynamic, 18, 4, 5}), (Shape{kDynamic, 2, 12, 15}));
  EXPECT_EQ(shape_of(SpaceToDepth{3}, {kDynamic, 2, 12, 15}), (Shape{kDynamic, 18, 4, 5}));
  EXPECT_THROW(shape_of(DepthToSpace{2}, {1, 6, 4, 5}), InputError);
  EXPECT_THROW(shape_of(DepthToSpace{0}, {1, 6, 4, 5}), InputError);
  EXPECT_THROW(shape_of(DepthToSpace{1}, {6, 4, 5}), InputError);
  EXPECT_THROW(shape_of(SpaceToDepth{2}, {1, 6, 3, 4}), InputError);
  EXPECT_THROW(shape_of(SpaceToDepth{2}, {1, 6, 4, 3}), InputError);
  EXPECT_THROW(shape_of(SpaceToDepth{1 << 20}, {1, 6, 4, 3}), InputError);
}

RC_GTEST_PROP(SpaceToDepth, UndoesDepthToSpace, ()) {
  const std::int64_t b = 1 + choose(3);
  const Tensor x =
      counting(any_type(), {1 + choose(2), b * b * (1 + choose(3)), 1 + choose(3), 1 + choose(3)});
  RC_ASSERT(apply_op(SpaceToDepth{b}, {apply_op(DepthToSpace{b}, {x})}) == x);
}

TEST(GlobalMaxPool, IsTheLargestOfEachPlane) {
  Tensor x = random_floats({2, 3, 4, 5}, 1);
  const Tensor y = apply_op(GlobalMaxPool{}, {x});
  ASSERT_EQ(y.shape(), (Shape{2, 3, 1, 1}));
  for (std::size_t p = 0; p < 6; ++p)
    EXPECT_EQ(y.data<float>()[p], std::ranges::max(x.data<float>().subspan(p * 20, 20)));
  EXPECT_THAT(
      values_of<float>(apply_op(GlobalMaxPool{}, {floats({1, 2, 2}, {-3, -2, -INFINITY, -INFINITY})})),
      ElementsAre(-2, -INFINITY));
  x.mutable_data<float>()[7] = NAN;
  EXPECT_TRUE(std::isnan(apply_op(GlobalMaxPool{}, {x}).data<float>()[0]));
  EXPECT_THROW(OneNode().input({2, 3}).with(GlobalMaxPool{}), InputError);
}

}  // namespace
}  // namespace halftone::ir
