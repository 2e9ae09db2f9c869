// Operators that only move elements, and what they become in integers, give the same elements.
#include "halftone/lower/moves.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

#include "halftone/base/error.h"
#include "halftone/ir/infer.h"
#include "halftone/ir/interpreter.h"
#include "halftone/qgraph/moves.h"

namespace halftone::qgraph {
namespace {

std::int64_t choose(std::int64_t lo, std::int64_t hi) { return *rc::gen::resize(100, rc::gen::inRange(lo, hi + 1)); }

Tensor counted(const Shape& shape) {
  Tensor tensor(DType::int8, shape);
  std::int8_t next = -100;
  for (std::int8_t& v : tensor.mutable_data<std::int8_t>()) v = next++;
  return tensor;
}

// The op on x of the same shape, but that the batch is left open when it is resolved.
void expect_same(const ir::Op& op, const Shape& x, bool open, const std::optional<Tensor>& argument = std::nullopt) {
  Shape declared = x;
  if (open) declared[0] = kDynamic;
  ir::TensorType type{DType::int8, declared};
  std::vector<const ir::TensorType*> types{&type};
  std::optional<ir::TensorType> second;
  if (argument) types.push_back(&second.emplace(ir::TensorType{argument->dtype(), argument->shape(), &*argument}));
  const Shape result = ir::infer_op(op, types).at(0).shape;
  const std::optional<Op> move = lower::integer_move(op, declared, argument ? &*argument : nullptr);
  RC_ASSERT(move.has_value());
  const Tensor in = counted(x);
  std::vector<const Tensor*> inputs{&in};
  if (argument) inputs.push_back(&*argument);
  const Tensor expected = ir::evaluate_op(op, inputs).at(0);
  const Tensor got = moved(std::get<Move>(*move), in, result);
  RC_ASSERT(got == expected);
  RC_ASSERT(shape_of(std::get<Move>(*move), x, result) == expected.shape());
}

Shape any_shape() { return {choose(1, 3), choose(1, 4), choose(1, 4), choose(1, 4)}; }

RC_GTEST_PROP(IntegerMove, Transposes, ()) {
  std::vector<std::int64_t> order{0, 1, 2, 3};
  for (std::size_t d = 3; d > 0; --d) std::swap(order[d], order[static_cast<std::size_t>(choose(0, static_cast<std::int64_t>(d)))]);
  if (choose(0, 5) == 0) order.clear();
  expect_same(ir::Transpose{order}, any_shape(), choose(0, 1) == 1);
}

RC_GTEST_PROP(IntegerMove, Slices, ()) {
  ir::Slice slice;
  for (std::int64_t d = 1; d < 4; ++d) {
    slice.axes.push_back(d - (choose(0, 1) == 1 ? 4 : 0));
    slice.starts.push_back(choose(-6, 6));
    slice.ends.push_back(choose(0, 3) == 0 ? INT64_MAX : choose(-6, 6));
    slice.steps.push_back(choose(0, 1) == 1 ? choose(1, 3) : -choose(1, 3));
  }
  expect_same(slice, any_shape(), choose(0, 1) == 1);
}

RC_GTEST_PROP(IntegerMove, Gathers, ()) {
  const Shape x = any_shape();
  const std::int64_t axis = choose(1, 3);
  const std::int64_t size = x[static_cast<std::size_t>(axis)];
  Tensor indices(DType::int64, choose(0, 1) == 1 ? Shape{choose(0, 3), 2} : Shape{});
  for (std::int64_t& i : indices.mutable_data<std::int64_t>()) i = choose(-size, size - 1);
  expect_same(ir::Gather{choose(0, 1) == 1 ? axis : axis - 4}, x, choose(0, 1) == 1, indices);
}

RC_GTEST_PROP(IntegerMove, Expands, ()) {
  Shape x = any_shape();
  std::vector<std::int64_t> to{choose(1, 3), 1};
  to.insert(to.end(), x.begin() + 1, x.end());
  for (std::size_t d = 1; d < 4; ++d)
    if (choose(0, 1) == 1) x[d] = 1;
  expect_same(ir::Expand{to}, x, choose(0, 1) == 1);
}

RC_GTEST_PROP(IntegerMove, MovesBlocksOfChannelsAndPixels, ()) {
  const std::int64_t block = choose(1, 3);
  Shape x = any_shape();
  x[1] *= block * block;
  expect_same(ir::DepthToSpace{block, choose(0, 1) == 1}, x, choose(0, 1) == 1);
  x = any_shape();
  x[2] *= block;
  x[3] *= block;
  expect_same(ir::SpaceToDepth{block}, x, choose(0, 1) == 1);
}

RC_GTEST_PROP(IntegerMove, ResizesToTheNearest, ()) {
  ir::Resize resize{.sizes = {kDynamic, kDynamic, choose(1, 9), choose(1, 9)}};
  resize.coordinates = static_cast<ir::Coordinates>(choose(0, 4));
  resize.nearest = static_cast<ir::NearestMode>(choose(0, 3));
  expect_same(resize, any_shape(), choose(0, 1) == 1);
}

RC_GTEST_PROP(IntegerMove, Reshapes, ()) {
  const Shape x = any_shape();
  expect_same(ir::Flatten{1}, x, choose(0, 1) == 1);
  expect_same(ir::Identity{}, x, choose(0, 1) == 1);
  expect_same(ir::Reshape{}, x, choose(0, 1) == 1, Tensor::from<std::int64_t>({2}, {-1, x[2] * x[3]}));
}

RC_GTEST_PROP(IntegerPad, PutsAnIntegerAround, ()) {
  const Shape x = any_shape();
  ir::Pad pad{.pads = {0}, .value = static_cast<double>(choose(-128, 127))};
  for (int i = 0; i < 7; ++i) pad.pads.push_back(i == 3 ? 0 : choose(-1, 3));
  for (std::size_t d = 1; d < 4; ++d) RC_PRE(x[d] + pad.pads[d] + pad.pads[4 + d] >= 0);
  const Tensor in = counted(x);
  const Tensor* input = &in;
  const auto op = lower::integer_pad(pad, {kDynamic, x[1], x[2], x[3]}, static_cast<std::int32_t>(pad.value));
  RC_ASSERT(padded(std::get<Pad>(op.value()), in) == ir::evaluate_op(pad, {&input, 1}).at(0));
}

RC_GTEST_PROP(IntegerPad, RepeatsElements, ()) {
  const Shape x{2, choose(3, 5), choose(3, 5)};
  ir::Pad pad{.pads = {0, choose(0, 2), choose(0, 2), 0, choose(0, 2), choose(0, 2)}};
  pad.mode = std::array{ir::PadMode::reflect, ir::PadMode::edge, ir::PadMode::wrap}[static_cast<std::size_t>(choose(0, 2))];
  const Tensor in = counted(x);
  const Tensor* input = &in;
  const Tensor expected = ir::evaluate_op(pad, {&input, 1}).at(0);
  const auto op = lower::integer_pad(pad, {kDynamic, x[1], x[2]}, 0);
  RC_ASSERT(moved(std::get<Move>(op.value()), in, expected.shape()) == expected);
}

TEST(IntegerMove, IsNoneWhereThePlacesCannotBeListed) {
  EXPECT_FALSE(lower::integer_move(ir::Expand{{lower::kMostPlaces + 1}}, {1}, nullptr).has_value());
  const Tensor last = Tensor::from<std::int64_t>({1}, {-1});
  EXPECT_FALSE(lower::integer_move(ir::Gather{0}, {kDynamic, 3}, &last).has_value());
}

TEST(Moved, RefusesAPlaceThatIsNotThere) {
  const Move move{.view = {}, .axes = {{.source = 0, .at = std::vector<std::int64_t>{2}}}};
  EXPECT_THROW(moved(move, counted({2}), {1}), InputError);
  EXPECT_THROW(moved({.view = {kDynamic, 3}, .axes = {}}, counted({4}), {kDynamic, 3}), InputError);
}

}  // namespace
}  // namespace halftone::qgraph
