// Functions of one variable, Softmax, BatchNormalization.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::ElementsAre;

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

TEST(Unary, ReluAndClipAtTheirEdges) {
  const Tensor x = floats({5}, {-INFINITY, -1, 0, 1, INFINITY});
  EXPECT_THAT(values_of<float>(apply_op(Relu{}, {x})), ElementsAre(0, 0, 0, 1, INFINITY));
  EXPECT_THAT(values_of<float>(apply_op(Clip{-0.5F, 0.5F}, {x})), ElementsAre(-0.5F, -0.5F, 0, 0.5F, 0.5F));
  EXPECT_THAT(values_of<float>(apply_op(Clip{}, {x})), ElementsAre(-INFINITY, -1, 0, 1, INFINITY));
  EXPECT_THAT(values_of<float>(apply_op(Clip{2, 1}, {x})), testing::Each(1));  // ONNX: min(max(x, lo), hi)
}

TEST(Unary, NotANumberStays) {
  for (const Op& op : {Op(Relu{}), Op(Clip{0, 1}), Op(Tanh{}), Op(Sigmoid{})})
    EXPECT_TRUE(std::isnan(values_of<float>(apply_op(op, {scalar_of(NAN)}))[0]));
}

RC_GTEST_PROP(Unary, TanhAndSigmoidAreRoundedOnce, ()) {
  const float x = static_cast<float>(choose(1 << 16) - (1 << 15)) * 0x1p-10F;
  RC_ASSERT(apply_op(Tanh{}, {scalar_of(x)}).data<float>()[0] == static_cast<float>(std::tanh(double{x})));
  RC_ASSERT(apply_op(Sigmoid{}, {scalar_of(x)}).data<float>()[0] ==
            static_cast<float>(1.0 / (1.0 + std::exp(-double{x}))));
}

TEST(Unary, SigmoidAtInfinity) {
  EXPECT_THAT(values_of<float>(apply_op(Sigmoid{}, {floats({2}, {-INFINITY, INFINITY})})), ElementsAre(0, 1));
}

RC_GTEST_PROP(Softmax, SumsToOneAlongItsAxisAndKeepsTheOrder, ()) {
  const Shape shape{1 + choose(3), 1 + choose(4), 1 + choose(4)};
  const int axis = choose(3);
  const bool to_end = choose(2) == 0;
  const Tensor x = random_floats(shape, static_cast<std::uint64_t>(choose(1 << 30)));
  const Tensor y = apply_op(Softmax{{.axis = choose(2) == 0 ? axis : axis - 3, .to_end = to_end}}, {x});
  const std::int64_t inner = to_end ? 1 : product(shape, static_cast<std::size_t>(axis) + 1, 3);
  const std::int64_t count =
      to_end ? product(shape, static_cast<std::size_t>(axis), 3) : shape[static_cast<std::size_t>(axis)];
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const std::int64_t start = i / (inner * count) * inner * count + i % inner;
    double sum = 0.0;
    for (std::int64_t j = 0; j < count; ++j)
      sum += std::exp(double{x.data<float>()[static_cast<std::size_t>(start + j * inner)]});
    const double expected = std::exp(double{x.data<float>()[static_cast<std::size_t>(i)]}) / sum;
    // One rounding to float32, and some of double.
    RC_ASSERT(std::fabs(y.data<float>()[static_cast<std::size_t>(i)] - expected) <=
              expected * (0x1p-24 + 0x1p-45));
  }
}

TEST(Softmax, LargeInputsDoNotOverflow) {
  EXPECT_THAT(values_of<float>(apply_op(Softmax{}, {floats({1, 2}, {1e38F, 1e38F})})),
              ElementsAre(0.5F, 0.5F));
  EXPECT_THAT(values_of<float>(apply_op(Softmax{}, {floats({1, 2}, {-1e38F, 0})})), ElementsAre(0, 1));
}

TEST(Softmax, AxesOutsideAreRefused) {
  for (std::int64_t axis : {-3, 2}) EXPECT_THROW(OneNode().input({2, 3}).with(Softmax{axis}), InputError);
  EXPECT_THROW(OneNode().input({}).with(Softmax{}), InputError);
}

RC_GTEST_PROP(BatchNormalization, IsTheFormulaByChannel, ()) {
  const std::int64_t channels = 1 + choose(4);
  const Shape shapes[] = {{2, channels}, {2, channels, 3}, {2, channels, 2, 3}};
  const Shape shape = shapes[choose(3)];
  const auto seed = static_cast<std::uint64_t>(choose(1 << 30));
  const Tensor x = random_floats(shape, seed), scale = random_floats({channels}, seed + 1),
               bias = random_floats({channels}, seed + 2), mean = random_floats({channels}, seed + 3);
  Tensor var = random_floats({channels}, seed + 4);
  for (float& v : var.mutable_data<float>()) v = v * v;
  const BatchNormalization op{0.01F};
  const Tensor y = apply_op(op, {x, scale, bias, mean, var});
  const std::int64_t inner = product(shape, 2, shape.size());
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const auto c = static_cast<std::size_t>(i / inner % channels);
    const double centred = double{x.data<float>()[static_cast<std::size_t>(i)]} - mean.data<float>()[c];
    const double scaled =
        scale.data<float>()[c] * centred / std::sqrt(var.data<float>()[c] + double{op.epsilon});
    const double expected = scaled + bias.data<float>()[c];
    RC_ASSERT(std::fabs(y.data<float>()[static_cast<std::size_t>(i)] - expected) <=
              std::fabs(expected) * 0x1p-24 + (std::fabs(scaled) + 8.0) * 0x1p-48);
  }
}

TEST(BatchNormalization, StatisticsOfAnotherSizeAreRefused) {
  const auto with = [](const Shape& x, const Shape& last) {
    OneNode().input(x).input({2}).input({2}).input({2}).input(last).with(BatchNormalization{});
  };
  EXPECT_NO_THROW(with({1, 2, 3}, {2}));
  EXPECT_THROW(with({1, 2, 3}, {3}), InputError);
  EXPECT_THROW(with({1, 2, 3}, {1, 2}), InputError);
  EXPECT_THROW(with({2}, {2}), InputError);
}

}  // namespace
}  // namespace halftone::ir
