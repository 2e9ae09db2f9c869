// Functions of one variable at known points.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

float at(const Op& op, float x) { return apply_op(op, {scalar_of(x)}).data<float>()[0]; }

struct Point {
  Op op;
  float x;
  double y;
};

// Six digits of Wolfram Alpha, or exact.
const Point kPoints[] = {
    {Relu{}, -2, 0},
    {Relu{}, 2.5F, 2.5},
    {Neg{}, -2.5F, 2.5},
    {Neg{}, 3, -3},
    {Abs{}, -2.5F, 2.5},
    {Abs{}, 3, 3},
    {Sqrt{}, 9, 3},
    {Sqrt{}, 2, 1.41421356},
    {Exp{}, 0, 1},
    {Exp{}, -1, 0.367879441},
    {Exp{}, 1, 2.71828183},
    {Exp{}, -INFINITY, 0},
    {Log{}, 1, 0},
    {Log{}, 0.5F, -0.693147181},
    {Log{}, 0, -INFINITY},
    {Erf{}, 0, 0},
    {Erf{}, 0.5F, 0.520499878},
    {Erf{}, -0.5F, -0.520499878},
    {Erf{}, 10, 1},
    {Reciprocal{}, -4, -0.25},
    {Reciprocal{}, 3, 0.333333333},
    {Reciprocal{}, 0, INFINITY},
    {Round{}, 0.5F, 0},
    {Round{}, 1.5F, 2},
    {Round{}, 2.5F, 2},
    {Round{}, -0.5F, 0},
    {Round{}, -1.5F, -2},
    {Round{}, -2.75F, -3},
    {Tanh{}, -1, -0.761594156},
    {Sigmoid{}, -1, 0.268941421},
    {HardSwish{}, -4, 0},
    {HardSwish{}, -3, 0},
    {HardSwish{}, -1, -0.333333333},
    {HardSwish{}, 1, 0.666666667},
    {HardSwish{}, 3, 3},
    {HardSwish{}, 4, 4},
    {LeakyRelu{}, -2, -0.02},
    {LeakyRelu{0.25F}, -2, -0.5},
    {LeakyRelu{0.25F}, 2, 2},
    {Elu{}, -1, -0.632120559},
    {Elu{2.0F}, -1, -1.26424112},
    {Elu{2.0F}, 3, 3},
    {Elu{}, -INFINITY, -1},
    {Swish{}, 1, 0.731058579},
    {Swish{}, -1, -0.268941421},
    {Swish{2.0F}, 1, 0.880797078},
    {Selu{}, 1, 1.05070099},
    {Selu{}, -1, -1.11133074},
    {Selu{}, 0, 0},
    {Selu{2.0F, 3.0F}, -1, -3.79272335},
    {HardSigmoid{}, -3, 0},
    {HardSigmoid{}, -1, 0.3},
    {HardSigmoid{}, 1, 0.7},
    {HardSigmoid{}, 3, 1},
    {HardSigmoid{0.5F, 0.25F}, 1, 0.75},
    {Gelu{}, 0, 0},
    {Gelu{}, 1, 0.841344746},
    {Gelu{}, -1, -0.158655254},
    {Gelu{true}, 1, 0.841191991},
    {Gelu{true}, -1, -0.158808009},
    {Clip{-1, 2}, -5, -1},
    {Clip{-1, 2}, 5, 2},
    {Clip{-1, 2}, 0.5F, 0.5},
};

TEST(UnaryValues, AtKnownPoints) {
  for (const Point& point : kPoints) {
    const float y = at(point.op, point.x);
    if (std::isinf(point.y))
      EXPECT_EQ(y, point.y) << name_of(point.op) << " of " << point.x;
    else
      EXPECT_NEAR(y, point.y, 2e-7 * std::max(1.0, std::fabs(point.y)))
          << name_of(point.op) << " of " << point.x;
  }
}

TEST(UnaryValues, OutsideTheirDomainIsNotANumber) {
  EXPECT_TRUE(std::isnan(at(Sqrt{}, -1)));
  EXPECT_TRUE(std::isnan(at(Log{}, -1)));
}

TEST(UnaryValues, NotANumberStays) {
  for (const Op& op : {Op(Relu{}), Op(Clip{0, 1}), Op(Neg{}), Op(Abs{}), Op(Sqrt{}), Op(Exp{}), Op(Log{}),
                       Op(Erf{}), Op(Reciprocal{}), Op(HardSwish{}), Op(LeakyRelu{}), Op(Elu{}), Op(Swish{}),
                       Op(Selu{}), Op(HardSigmoid{}), Op(Gelu{}), Op(Gelu{true})})
    EXPECT_TRUE(std::isnan(at(op, NAN))) << name_of(op);
}

// The limits at infinity, where a product of 0 and infinity would be no number.
TEST(UnaryValues, AtInfinity) {
  for (const Op& op : {Op(Relu{}), Op(Abs{}), Op(HardSwish{}), Op(LeakyRelu{}), Op(Elu{}), Op(Swish{}),
                       Op(Selu{}), Op(Gelu{}), Op(Gelu{true})})
    EXPECT_EQ(at(op, INFINITY), INFINITY) << name_of(op);
}

RC_GTEST_PROP(UnaryValues, OddAndEvenFunctions, (std::int16_t bits)) {
  const float x = static_cast<float>(bits) * 0x1p-10F;
  for (const Op& odd : {Op(Neg{}), Op(Erf{}), Op(Tanh{}), Op(Round{})}) RC_ASSERT(at(odd, -x) == -at(odd, x));
  RC_ASSERT(at(Abs{}, -x) == at(Abs{}, x));
  RC_ASSERT(at(Neg{}, at(Neg{}, x)) == x);
}

RC_GTEST_PROP(UnaryValues, SmoothRelusLieBetweenTheirBounds, (std::int16_t bits)) {
  const float x = static_cast<float>(bits) * 0x1p-10F;
  for (const Op& op : {Op(Gelu{}), Op(Gelu{true}), Op(Swish{}), Op(HardSwish{})}) {
    RC_ASSERT(at(op, x) <= std::max(x, 0.0F));
    RC_ASSERT(at(op, x) >= std::min(x, 0.0F));
    RC_ASSERT(at(op, x) >= std::max(x, 0.0F) - 0.5F);
  }
}

TEST(UnaryTypes, ResultsHaveTheTypeOfTheirInput) {
  const Tensor x = floats({3}, {-2, 0, 3});
  for (DType dtype :
       {DType::float64, DType::float16, DType::bfloat16, DType::int8, DType::int32, DType::int64}) {
    EXPECT_TRUE(apply_op(Relu{}, {x.cast(dtype)}) == floats({3}, {0, 0, 3}).cast(dtype)) << name_of(dtype);
    EXPECT_TRUE(apply_op(Abs{}, {x.cast(dtype)}) == floats({3}, {2, 0, 3}).cast(dtype)) << name_of(dtype);
    EXPECT_TRUE(apply_op(Clip{-1, 1}, {x.cast(dtype)}) == floats({3}, {-1, 0, 1}).cast(dtype))
        << name_of(dtype);
  }
}

TEST(UnaryTypes, Float16IsRoundedAndOverflows) {
  const Tensor x = floats({3}, {1, 20, -1}).cast(DType::float16);
  const Tensor y = apply_op(Exp{}, {x});
  EXPECT_EQ(static_cast<float>(y.data<float16>()[0]), 2.71875F);
  EXPECT_EQ(static_cast<float>(y.data<float16>()[1]), INFINITY);
  EXPECT_EQ(static_cast<float>(y.data<float16>()[2]), 0.367919921875F);
}

}  // namespace
}  // namespace halftone::ir
