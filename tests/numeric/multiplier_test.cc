#include "halftone/numeric/multiplier.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/base/message_of.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

constexpr int kWidths[] = {8, 16, 32};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

RC_GTEST_PROP(Multiplier, MantissaFitsItsWidthAndIsNormalised, ()) {
  const double M = *positive_of_exponent(-1000, 1000);
  for (int bits : kWidths) {
    const Multiplier result = multiplier_from(M, bits);
    RC_ASSERT(result.m >= std::int64_t{1} << (bits - 2));
    RC_ASSERT(result.m < std::int64_t{1} << (bits - 1));
    RC_ASSERT(result.bits == bits);
    RC_ASSERT(result.shift() == bits - 1 + result.n);
  }
}

// |m − M0·2^(B−1)| ≤ ½ and M0·2^(B−1) ≥ 2^(B−2), so the relative error is at most ½/2^(B−2) = 2^−(B−1).
RC_GTEST_PROP(Multiplier, RelativeErrorIsAtMostTwoToTheMinusBPlusOne, ()) {
  const double M = *positive_of_exponent(-1000, 1000);
  for (int bits : kWidths)
    RC_ASSERT(std::fabs(multiplier_from(M, bits).real() - M) <= M * std::ldexp(1.0, 1 - bits));
}

// At B = 32 every float32 is exact.
RC_GTEST_PROP(Multiplier, FewSignificantBitsAreExact, ()) {
  const double M = *positive_float_of_exponent(-120, 120);
  RC_ASSERT(multiplier_from(M, 32).real() == M);
  const double seven = std::ldexp(*rc::gen::inRange(1, 128), *rc::gen::inRange(-200, 200));
  RC_ASSERT(multiplier_from(seven, 8).real() == seven);
}

RC_GTEST_PROP(Multiplier, IsMonotone, ()) {
  const double M = *positive_of_exponent(-40, 40);
  const double next = M * (1 + std::ldexp(1.0, -*rc::gen::inRange(1, 53)));
  for (int bits : kWidths) RC_ASSERT(multiplier_from(M, bits).real() <= multiplier_from(next, bits).real());
}

TEST(Multiplier, PowersOfTwoAreExact) {
  for (int bits : kWidths)
    for (int k = -1074; k <= 1023; ++k) {
      const Multiplier result = multiplier_from(std::ldexp(1.0, k), bits);
      ASSERT_EQ(result.m, std::int64_t{1} << (bits - 2));
      ASSERT_EQ(result.n, -k - 1);
      ASSERT_EQ(result.real(), std::ldexp(1.0, k));
    }
}

TEST(Multiplier, JustBelowAPowerOfTwoRoundsUpToItsMantissa) {
  // m = 2^(B−1) would not fit B signed bits: it becomes m/2 with n − 1.
  for (int bits : kWidths)
    for (double M : {1 - 0x1p-53, 1 - std::ldexp(1.0, -bits - 1), 1 - std::ldexp(1.0, -bits)}) {
      const Multiplier result = multiplier_from(M, bits);
      EXPECT_EQ(result.m, std::int64_t{1} << (bits - 2)) << M;
      EXPECT_EQ(result.n, -1) << M;
      EXPECT_EQ(result.real(), 1.0) << M;
    }
  EXPECT_EQ(multiplier_from(127.0 / 128, 8), (Multiplier{127, 0, 8}));
}

TEST(Multiplier, TiesOfTheMantissaGoToEven) {
  EXPECT_EQ(multiplier_from(64.5 / 128, 8), (Multiplier{64, 0, 8}));
  EXPECT_EQ(multiplier_from(65.5 / 128, 8), (Multiplier{66, 0, 8}));
  EXPECT_EQ(multiplier_from(66.5 / 128, 8), (Multiplier{66, 0, 8}));
  EXPECT_EQ(multiplier_from(127.5 / 128, 8), (Multiplier{64, -1, 8}));
  EXPECT_EQ(multiplier_from(126.5 / 128, 8), (Multiplier{126, 0, 8}));
}

TEST(Multiplier, ByHand) {
  EXPECT_EQ(multiplier_from(1.0, 8), (Multiplier{64, -1, 8}));
  EXPECT_EQ(multiplier_from(0.5, 8), (Multiplier{64, 0, 8}));
  EXPECT_EQ(multiplier_from(0.75, 16), (Multiplier{24576, 0, 16}));
  EXPECT_EQ(multiplier_from(3.0, 16), (Multiplier{24576, -2, 16}));
  EXPECT_EQ(multiplier_from(1.0 / 3, 32), (Multiplier{1431655765, 1, 32}));
}

TEST(Multiplier, OtherWidthsAreRefused) {
  for (int bits : {std::numeric_limits<int>::min(), -8, 0, 1, 7, 9, 15, 17, 24, 31, 33, 64})
    EXPECT_THROW(multiplier_from(0.5, bits), UsageError) << bits;
  EXPECT_EQ(message_of<UsageError>([] { multiplier_from(0.5, 24); }),
            "[multiplier] mantissa width, got 24, expected 8, 16 or 32");
}

TEST(Multiplier, OnlyFinitePositiveNumbers) {
  for (double M : {0.0, -0.0, -1.0, -1e-300, kInfinity, -kInfinity, std::nan("")})
    EXPECT_THROW(multiplier_from(M, 32), InputError) << M;
  EXPECT_NO_THROW(multiplier_from(5e-324, 32));
  EXPECT_NO_THROW(multiplier_from(std::numeric_limits<double>::max(), 32));
}

TEST(RealMultiplier, IsInDoubleInTheStatedOrder) {
  // In float32 this product is zero.
  EXPECT_NEAR(real_multiplier(1e-30F, 1e-30F, 1e-30F), 1e-30, 1e-36);
  EXPECT_EQ(real_multiplier(0.1F, 0.2F, 0.3F),
            static_cast<double>(0.1F) * static_cast<double>(0.2F) / static_cast<double>(0.3F));
}

RC_GTEST_PROP(SharedMultipliers, ShareTheShiftOfTheLargest, ()) {
  const auto M = *rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(positive_of_exponent(-40, 10)));
  for (int bits : kWidths) {
    const std::vector<Multiplier> shared = shared_multipliers(M, bits);
    const double largest = *std::max_element(M.begin(), M.end());
    const Multiplier alone = multiplier_from(largest, bits);
    RC_ASSERT(shared.size() == M.size());
    for (std::size_t i = 0; i < M.size(); ++i) {
      RC_ASSERT(shared[i].n == alone.n);
      RC_ASSERT(shared[i].bits == bits);
      RC_ASSERT(shared[i].m >= 0);
      RC_ASSERT(shared[i].m <= alone.m);
      // Half a unit of the shared scale.
      RC_ASSERT(std::fabs(shared[i].real() - M[i]) <= std::ldexp(0.5, -alone.shift()));
      if (M[i] == largest) RC_ASSERT(shared[i] == alone);
    }
  }
}

TEST(SharedMultipliers, ByHand) {
  const double M[] = {0.25, 0.75, 0.3};
  EXPECT_EQ(shared_multipliers(M, 8), (std::vector<Multiplier>{{32, 0, 8}, {96, 0, 8}, {38, 0, 8}}));
}

TEST(SharedMultipliers, TheShiftIsTakenAfterTheLargestRoundedUp) {
  // 0.999 alone is m = 64, n = −1 at B = 8, so 0.5 is 32, not 64.
  const double M[] = {0.999, 0.5};
  EXPECT_EQ(shared_multipliers(M, 8), (std::vector<Multiplier>{{64, -1, 8}, {32, -1, 8}}));
}

TEST(SharedMultipliers, TiesGoToEvenAndVanishingOnesAreZero) {
  const double M[] = {0.5, 0.5 / 128, 1.5 / 128, 2.5 / 128, 1e-300};
  const std::vector<Multiplier> shared = shared_multipliers(M, 8);
  EXPECT_EQ(shared[1].m, 0);
  EXPECT_EQ(shared[2].m, 2);
  EXPECT_EQ(shared[3].m, 2);
  EXPECT_EQ(shared[4].m, 0);
}

TEST(SharedMultipliers, EveryTermIsChecked) {
  EXPECT_TRUE(shared_multipliers({}, 32).empty());
  for (double bad : {0.0, -1.0, kInfinity, std::nan("")}) {
    const double M[] = {0.5, bad, 0.25};
    EXPECT_THROW(shared_multipliers(M, 32), InputError) << bad;
  }
  const double good[] = {0.5};
  EXPECT_THROW(shared_multipliers(good, 12), UsageError);
}

}  // namespace
}  // namespace halftone::numeric
