// Ops that cut, fill, stretch and convert: values worked out by hand, and laws.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

Tensor counting(Shape shape) {
  Tensor tensor(DType::float32, std::move(shape));
  float next = 0.0F;
  for (float& v : tensor.mutable_data<float>()) v = next++;
  return tensor;
}

// ONNX's rule, written the slow way: walk from the clamped start until the clamped end is reached. It is
// NumPy's but for a start before the first element, which steps backwards from the first.
std::vector<float> slice_of(const std::vector<float>& x, std::int64_t start, std::int64_t end,
                            std::int64_t step) {
  const auto n = static_cast<std::int64_t>(x.size());
  const auto clamp = [&](std::int64_t at, std::int64_t lo, std::int64_t hi) {
    return std::min(std::max(at < 0 ? at + n : at, lo), hi);
  };
  std::vector<float> y;
  if (n == 0) return y;
  const std::int64_t last = step > 0 ? clamp(end, 0, n) : clamp(end, -1, n - 1);
  for (std::int64_t i = clamp(start, 0, step > 0 ? n : n - 1); step > 0 ? i < last : i > last; i += step)
    y.push_back(x[static_cast<std::size_t>(i)]);
  return y;
}

RC_GTEST_PROP(Slice, FollowsTheRule, ()) {
  const Tensor x = counting({choose(8)});
  const std::int64_t start = choose(25) - 12;
  const std::int64_t end = choose(25) - 12;
  const std::int64_t step = choose(2) == 0 ? choose(5) + 1 : -choose(5) - 1;
  const Tensor y = apply_op(Slice{{start}, {end}, {}, {step}}, {x});
  RC_ASSERT(values_of<float>(y) == slice_of(values_of<float>(x), start, end, step));
}

TEST(Slice, EndsAtTheLimitsOfInt64) {
  const Tensor x = counting({5});
  EXPECT_THAT(values_of<float>(apply_op(Slice{{0}, {INT64_MAX}, {0}, {2}}, {x})), ElementsAre(0, 2, 4));
  EXPECT_THAT(values_of<float>(apply_op(Slice{{INT64_MAX}, {INT64_MIN}, {-1}, {-2}}, {x})),
              ElementsAre(4, 2, 0));
  EXPECT_THAT(values_of<float>(apply_op(Slice{{-1}, {INT64_MIN}, {0}, {INT64_MIN}}, {x})), ElementsAre(4));
  EXPECT_THROW(apply_op(Slice{{0}, {1}, {0}, {0}}, {x}), InputError);
  EXPECT_THROW(apply_op(Slice{{0, 0}, {1, 1}, {0, -1}, {}}, {x}), InputError);
}

RC_GTEST_PROP(Split, PartsJoinToTheWhole, ()) {
  const Tensor x = counting({2, 5, 3});
  const std::int64_t first = choose(6);
  OneNode node;
  Graph g = node.input({2, 5, 3}).with(Split{1, {first, 5 - first}});
  g.nodes[0].outputs.push_back(g.add_value("rest", DType::float32, {2, 5 - first, 3}));
  g.outputs = {g.add_node(Concat{1}, g.nodes[0].outputs, "whole")};
  check(g);
  RC_ASSERT(run(g, {x}) == x);
}

TEST(Gather, CountsFromTheEndAndRefusesWhatIsOutside) {
  const Tensor x = counting({2, 3});
  EXPECT_EQ(apply_op(Gather{1}, {x, int64s({-1, 0})}), floats({2, 2}, {2, 0, 5, 3}));
  EXPECT_THROW(apply_op(Gather{1}, {x, int64s({3})}), InputError);
  EXPECT_THROW(apply_op(Gather{0}, {x, int64s({-3})}), InputError);
}

TEST(Pad, EveryMode) {
  const Tensor x = floats({3}, {1, 2, 3});
  const auto padded = [&](PadMode mode) { return values_of<float>(apply_op(Pad{{2, 2}, mode, 9}, {x})); };
  EXPECT_THAT(padded(PadMode::constant), ElementsAre(9, 9, 1, 2, 3, 9, 9));
  EXPECT_THAT(padded(PadMode::edge), ElementsAre(1, 1, 1, 2, 3, 3, 3));
  EXPECT_THAT(padded(PadMode::reflect), ElementsAre(3, 2, 1, 2, 3, 2, 1));
  EXPECT_THAT(padded(PadMode::wrap), ElementsAre(2, 3, 1, 2, 3, 1, 2));
  EXPECT_THAT(values_of<float>(apply_op(Pad{{-1, 1}}, {x})), ElementsAre(2, 3, 0));
  EXPECT_THROW(apply_op(Pad{{3, 0}, PadMode::reflect}, {x}), InputError);
  EXPECT_THROW(apply_op(Pad{{-2, -2}}, {x}), InputError);
}

TEST(Expand, BroadcastsBothWays) {
  EXPECT_EQ(apply_op(Expand{{2, 1, 2}}, {floats({2, 1}, {1, 2})}),
            floats({2, 2, 2}, {1, 1, 2, 2, 1, 1, 2, 2}));
  EXPECT_THROW(apply_op(Expand{{3}}, {floats({2}, {1, 2})}), InputError);
}

TEST(Resize, LengthsAndPlacesAreThoseOfFloat32) {
  EXPECT_EQ(apply_op(Resize{{}, {2.3F}}, {counting({10})}).dim(0), 23);
  EXPECT_EQ(apply_op(Resize{{}, {0.7F}}, {counting({10})}).dim(0), 7);
  EXPECT_EQ(values_of<float>(apply_op(Resize{{}, {2.3F}}, {counting({7})})).at(11), 4);
}

TEST(Resize, NearestAndLinear) {
  const Tensor x = floats({2}, {1, 3});
  const Resize linear{{}, {2}, true};
  EXPECT_THAT(values_of<float>(apply_op(linear, {x})), ElementsAre(1, 1.5, 2.5, 3));
  EXPECT_THAT(values_of<float>(apply_op(Resize{{4}, {}}, {x})), ElementsAre(1, 1, 3, 3));
  EXPECT_THAT(values_of<float>(apply_op(Resize{{3}, {}, true, Coordinates::align_corners}, {x})),
              ElementsAre(1, 2, 3));
  EXPECT_EQ(apply_op(Resize{{2}, {}}, {x}), x);
  EXPECT_THROW(apply_op(Resize{{1, 2}, {}}, {x}), InputError);
}

TEST(Cast, RoundsTowardsZeroSaturatesAndWraps) {
  const Tensor x = floats({5}, {-1.9F, 1.9F, 300, -300, NAN});
  EXPECT_THAT(values_of<std::int8_t>(apply_op(Cast{DType::int8}, {x})), ElementsAre(-1, 1, 127, -128, 0));
  EXPECT_THAT(values_of<std::uint8_t>(apply_op(Cast{DType::uint8}, {x})), ElementsAre(0, 1, 255, 0, 0));
  EXPECT_THAT(values_of<std::int8_t>(apply_op(Cast{DType::int4}, {floats({4}, {7, 8, -8, -9})})),
              ElementsAre(7, -8, -8, 7));
  EXPECT_THAT(values_of<bool>(apply_op(Cast{DType::boolean}, {floats({3}, {0, 0.5F, -2})})),
              ElementsAre(false, true, true));
}

TEST(Reductions, OverSomeAllAndNoDimensions) {
  const Tensor x = counting({2, 3});
  EXPECT_EQ(apply_op(ReduceSum{{{0}, true}}, {x}), floats({1, 3}, {3, 5, 7}));
  EXPECT_EQ(apply_op(ReduceMean{{{-1}, false}}, {x}), floats({2}, {1, 4}));
  EXPECT_EQ(apply_op(ReduceMax{}, {x}), floats({1, 1}, {5}));
  EXPECT_EQ(apply_op(ReduceMin{{{}, false, true}}, {x}), x);
  EXPECT_TRUE(std::isnan(apply_op(ReduceMax{}, {floats({3}, {1, NAN, 2})}).data<float>()[0]));
  EXPECT_EQ(apply_op(ReduceMax{}, {floats({0}, {})}), floats({1}, {-INFINITY}));
}

TEST(ArgMax, FirstOrLastOfEqualOnes) {
  const Tensor x = floats({2, 3}, {1, 5, 5, 7, 2, 7});
  EXPECT_THAT(values_of<std::int64_t>(apply_op(ArgMax{1, false}, {x})), ElementsAre(1, 0));
  EXPECT_THAT(values_of<std::int64_t>(apply_op(ArgMax{-1, true, true}, {x})), ElementsAre(2, 2));
}

RC_GTEST_PROP(ConvTranspose, IsTheTransposeOfConv, ()) {
  // <Conv(x), y> = <x, ConvTranspose(y)> for the same weights and window.
  const Window window{.strides = {1 + choose(3), 1 + choose(3)},
                      .pads = {choose(2), choose(2), choose(2), choose(2)},
                      .dilations = {1 + choose(2), 1 + choose(2)}};
  const Tensor x = random_floats({1, 4, 7, 8}, 1);
  const Tensor w = random_floats({6, 2, 2, 3}, 2);
  const Tensor forward = apply_op(Conv{window, 2}, {x, w});
  const Tensor y = random_floats(forward.shape(), 3);
  ConvTranspose op{.window = window, .groups = 2, .output_shape = {}};
  const auto axes = transpose_axes(op, y.shape(), w.shape());
  op.output_padding = {7 - axes[0].out, 8 - axes[1].out};  // what the stride did not reach
  const Tensor back = apply_op(op, {y, w});
  RC_ASSERT(back.shape() == x.shape());
  double left = 0.0;
  double right = 0.0;
  for (std::size_t i = 0; i < y.data<float>().size(); ++i)
    left += double{forward.data<float>()[i]} * y.data<float>()[i];
  for (std::size_t i = 0; i < x.data<float>().size(); ++i)
    right += double{back.data<float>()[i]} * x.data<float>()[i];
  RC_ASSERT(std::fabs(left - right) <= 1e-3 * std::max(1.0, std::fabs(left)));
}

}  // namespace
}  // namespace halftone::ir
