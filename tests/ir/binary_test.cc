// Functions of two variables: every type, broadcasting.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::ElementsAre;

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

template <typename T>
T of(const Op& op, T a, T b) {
  return apply_op(op, {Tensor::from<T>({1}, std::vector<T>{a}), Tensor::from<T>({1}, std::vector<T>{b})})
      .template data<T>()[0];
}

// The integer of type T that is equal to `x` modulo 2^bits.
template <typename T>
T wrapped(__int128 x) {
  const __int128 modulus = static_cast<__int128>(1) << (8 * sizeof(T));
  __int128 rest = x % modulus;
  if (rest < 0) rest += modulus;
  if (rest > static_cast<__int128>(std::numeric_limits<T>::max())) rest -= modulus;
  return static_cast<T>(rest);
}

template <typename T>
void expect_wraps(T a, T b) {
  const auto wide_a = static_cast<__int128>(a);
  const auto wide_b = static_cast<__int128>(b);
  RC_ASSERT(of<T>(Add{}, a, b) == wrapped<T>(wide_a + wide_b));
  RC_ASSERT(of<T>(Sub{}, a, b) == wrapped<T>(wide_a - wide_b));
  // Modulo 2^bits a factor may be reduced, which keeps the product of 64-bit factors in 128 bits.
  RC_ASSERT(of<T>(Mul{}, a, b) ==
            static_cast<T>(static_cast<std::uint64_t>(wide_a) * static_cast<std::uint64_t>(wide_b)));
  if (b != 0) RC_ASSERT(of<T>(Div{}, a, b) == wrapped<T>(wide_a / wide_b));
}

RC_GTEST_PROP(BinaryIntegers, WrapInt8, (std::int8_t a, std::int8_t b)) { expect_wraps(a, b); }
RC_GTEST_PROP(BinaryIntegers, WrapUint8, (std::uint8_t a, std::uint8_t b)) { expect_wraps(a, b); }
RC_GTEST_PROP(BinaryIntegers, WrapInt16, (std::int16_t a, std::int16_t b)) { expect_wraps(a, b); }
RC_GTEST_PROP(BinaryIntegers, WrapUint16, (std::uint16_t a, std::uint16_t b)) { expect_wraps(a, b); }
RC_GTEST_PROP(BinaryIntegers, WrapInt32, (std::int32_t a, std::int32_t b)) { expect_wraps(a, b); }
RC_GTEST_PROP(BinaryIntegers, WrapUint32, (std::uint32_t a, std::uint32_t b)) { expect_wraps(a, b); }
RC_GTEST_PROP(BinaryIntegers, WrapInt64, (std::int64_t a, std::int64_t b)) { expect_wraps(a, b); }
RC_GTEST_PROP(BinaryIntegers, WrapUint64, (std::uint64_t a, std::uint64_t b)) { expect_wraps(a, b); }

TEST(BinaryIntegers, AtTheirEdges) {
  EXPECT_EQ(of<std::int8_t>(Add{}, 127, 1), -128);
  EXPECT_EQ(of<std::uint8_t>(Sub{}, 0, 1), 255);
  EXPECT_EQ(of<std::uint16_t>(Mul{}, 65535, 65535), 1);
  EXPECT_EQ(of<std::int32_t>(Add{}, INT32_MAX, 1), INT32_MIN);
  EXPECT_EQ(of<std::int64_t>(Mul{}, INT64_MIN, -1), INT64_MIN);
  EXPECT_EQ(of<std::uint64_t>(Add{}, UINT64_MAX, 2), 1u);
}

TEST(BinaryIntegers, DivideTowardsZero) {
  EXPECT_EQ(of<std::int32_t>(Div{}, 7, 2), 3);
  EXPECT_EQ(of<std::int32_t>(Div{}, -7, 2), -3);
  EXPECT_EQ(of<std::int32_t>(Div{}, 7, -2), -3);
  EXPECT_EQ(of<std::uint64_t>(Div{}, UINT64_MAX, 2), UINT64_MAX / 2);
}

TEST(BinaryIntegers, TheSmallestByMinusOneWraps) {
  EXPECT_EQ(of<std::int8_t>(Div{}, INT8_MIN, -1), INT8_MIN);
  EXPECT_EQ(of<std::int16_t>(Div{}, INT16_MIN, -1), INT16_MIN);
  EXPECT_EQ(of<std::int32_t>(Div{}, INT32_MIN, -1), INT32_MIN);
  EXPECT_EQ(of<std::int64_t>(Div{}, INT64_MIN, -1), INT64_MIN);
  EXPECT_EQ(of<std::int32_t>(Div{}, 5, -1), -5);
}

TEST(BinaryIntegers, DividedByZeroAreRefused) {
  EXPECT_THROW(of<std::int8_t>(Div{}, 1, 0), InputError);
  EXPECT_THROW(of<std::uint32_t>(Div{}, 1, 0), InputError);
  EXPECT_THROW(of<std::int64_t>(Div{}, 0, 0), InputError);
}

TEST(BinaryFloats, DividedByZeroAreInfinite) {
  EXPECT_EQ(of<float>(Div{}, 1, 0), INFINITY);
  EXPECT_EQ(of<double>(Div{}, -1, 0), -INFINITY);
  EXPECT_TRUE(std::isnan(of<float>(Div{}, 0, 0)));
}

RC_GTEST_PROP(BinaryFloats, AreThoseOfIeee754, ()) {
  const float a = std::ldexp(static_cast<float>(choose(1 << 24) - (1 << 23)), choose(40) - 40);
  const float b = std::ldexp(static_cast<float>(choose(1 << 24) - (1 << 23)), choose(40) - 40);
  RC_PRE(b != 0.0F);
  RC_ASSERT(of<float>(Add{}, a, b) == a + b);
  RC_ASSERT(of<float>(Sub{}, a, b) == a - b);
  RC_ASSERT(of<float>(Mul{}, a, b) == a * b);
  RC_ASSERT(of<float>(Div{}, a, b) == a / b);
  RC_ASSERT(of<double>(Div{}, a, b) == double{a} / double{b});
}

TEST(BinaryFloats, PReluHasASlopeBelowZero) {
  const Tensor x = floats({2, 3}, {-1, 0, 2, -4, -0.5F, 3});
  EXPECT_THAT(values_of<float>(apply_op(PRelu{}, {x, floats({3}, {0.5F, 9, 9})})),
              ElementsAre(-0.5F, 0, 2, -2, -4.5F, 3));
  EXPECT_THAT(values_of<float>(apply_op(PRelu{}, {x, floats({2, 1}, {2, -1})})),
              ElementsAre(-2, 0, 2, 4, 0.5F, 3));
  EXPECT_TRUE(std::isnan(of<float>(PRelu{}, NAN, 0.5F)));
  EXPECT_EQ(of<std::int32_t>(PRelu{}, -3, 2), -6);
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(of<std::int64_t>(PRelu{}, kLeast, -1), kLeast) << "wraps";
}

// 24 bits of float32 hold 2·11 + 2: what is rounded twice is what is rounded once.
RC_GTEST_PROP(BinaryFloat16, IsTheNearestToTheExactResult, ()) {
  const auto any = [] {
    float16 x;
    x.bits = static_cast<std::uint16_t>(choose(1 << 16));
    return x;
  };
  const float16 a = any(), b = any();
  const double real_a = static_cast<float>(a), real_b = static_cast<float>(b);
  RC_PRE(std::isfinite(real_a) && std::isfinite(real_b));
  const auto expect_near = [&](float16 y, double exact) {
    if (std::isinf(static_cast<float>(y))) {
      RC_ASSERT(std::fabs(exact) >= 65520.0);
      return;
    }
    const double error = std::fabs(static_cast<float>(y) - exact);
    for (int step : {-1, 1}) {
      float16 other = y;
      other.bits = static_cast<std::uint16_t>(y.bits + step);
      if ((y.bits & 0x7fffU) == 0 && step < 0) continue;  // the zeros have no neighbour below
      if (std::isfinite(static_cast<float>(other)))
        RC_ASSERT(error <= std::fabs(static_cast<float>(other) - exact));
    }
  };
  expect_near(of<float16>(Add{}, a, b), real_a + real_b);
  expect_near(of<float16>(Sub{}, a, b), real_a - real_b);
  expect_near(of<float16>(Mul{}, a, b), real_a * real_b);
}

TEST(BinaryFloat16, OverflowsAndRounds) {
  EXPECT_EQ(static_cast<float>(of<float16>(Add{}, float16(65504.0F), float16(65504.0F))), INFINITY);
  EXPECT_EQ(static_cast<float>(of<float16>(Add{}, float16(2048.0F), float16(1.0F))), 2048.0F);
  EXPECT_EQ(static_cast<float>(of<float16>(Add{}, float16(2050.0F), float16(1.0F))), 2052.0F);
  EXPECT_EQ(static_cast<float>(of<bfloat16>(Add{}, bfloat16(256.0F), bfloat16(1.0F))), 256.0F);
}

RC_GTEST_PROP(BinaryBroadcast, ReadsTheElementOfEveryOperandThatStandsThere, ()) {
  const std::int64_t a = 1 + choose(3), b = 1 + choose(3), c = 1 + choose(3);
  const Shape left{choose(2) == 0 ? 1 : a, choose(2) == 0 ? 1 : b, choose(2) == 0 ? 1 : c};
  Shape right{choose(2) == 0 ? 1 : a, choose(2) == 0 ? 1 : b, choose(2) == 0 ? 1 : c};
  if (right[0] == 1 && choose(2) == 0) right.erase(right.begin());
  const Tensor x = random_floats(left, 1), y = random_floats(right, 2);
  const Tensor z = apply_op(Sub{}, {x, y});
  RC_ASSERT(z.rank() == 3u);
  const auto element = [](const Tensor& t, std::int64_t i, std::int64_t j, std::int64_t k) {
    const std::int64_t at[] = {i, j, k};
    std::int64_t index = 0;
    for (std::size_t d = 0; d < t.rank(); ++d)
      index = index * t.dim(d) + (t.dim(d) == 1 ? 0 : at[d + 3 - t.rank()]);
    return t.data<float>()[static_cast<std::size_t>(index)];
  };
  for (std::int64_t i = 0; i < z.dim(0); ++i)
    for (std::int64_t j = 0; j < z.dim(1); ++j)
      for (std::int64_t k = 0; k < z.dim(2); ++k)
        RC_ASSERT(element(z, i, j, k) == element(x, i, j, k) - element(y, i, j, k));
}

TEST(BinaryTypes, OperandsOfDifferentTypesOrBoolAreRefused) {
  EXPECT_THROW(OneNode().input({2}).input({2}, DType::float64).with(Mul{}), InputError);
  const Tensor truth(DType::boolean, {2});
  EXPECT_THROW(apply_op(Add{}, {truth, truth}), UnsupportedError);
}

}  // namespace
}  // namespace halftone::ir
