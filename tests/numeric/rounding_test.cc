#include "halftone/numeric/rounding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/base/message_of.h"
#include "tests/numeric/exact_rounding.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Whole numbers, ties and their neighbours, and anything.
rc::Gen<double> any_real() {
  return rc::gen::oneOf(
      rc::gen::map(any_int64(), [](std::int64_t n) { return static_cast<double>(n >> 12) / 2; }),
      rc::gen::map(
          any_int64(),
          [](std::int64_t n) { return std::nextafter(static_cast<double>(n >> 12) / 2, kInfinity); }),
      rc::gen::map(
          any_int64(),
          [](std::int64_t n) { return std::nextafter(static_cast<double>(n >> 12) / 2, -kInfinity); }),
      real_of_exponent(-80, 60), real_of_exponent(-1074, 1023));
}

double round_real_exactly(double x, Rounding rounding) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  const auto mantissa = static_cast<std::int64_t>(std::ldexp(fraction, 53));
  const int k = 53 - exponent;
  if (k <= 0) return x;
  if (k <= 126) return static_cast<double>(round_dyadic(mantissa, k, rounding));
  return static_cast<double>(round_dyadic(x < 0 ? -1 : x > 0 ? 1 : 0, 126, rounding));
}

RC_GTEST_PROP(RoundReal, IsTheDefinitionInIntegers, (Rounding rounding)) {
  for (int i = 0; i < 20; ++i) {
    const double x = *any_real();
    RC_ASSERT(round_real(x, rounding) == round_real_exactly(x, rounding));
  }
}

TEST(RoundReal, EveryEighthUpTo64IsTheDefinition) {
  for (int n = -512; n <= 512; ++n)
    for (Rounding rounding : kRoundings)
      ASSERT_EQ(round_real(n / 8.0, rounding), static_cast<double>(round_dyadic(n, 3, rounding)))
          << n / 8.0 << " " << name_of(rounding);
}

TEST(RoundReal, Ties) {
  struct Case {
    double x, half_even, half_away, half_up, floor;
  };
  for (const Case& c : {Case{0.5, 0, 1, 1, 0}, Case{-0.5, 0, -1, 0, -1}, Case{1.5, 2, 2, 2, 1},
                        Case{-1.5, -2, -2, -1, -2}, Case{2.5, 2, 3, 3, 2}, Case{-2.5, -2, -3, -2, -3},
                        Case{3.5, 4, 4, 4, 3}, Case{-3.5, -4, -4, -3, -4}}) {
    EXPECT_EQ(round_real(c.x, Rounding::half_even), c.half_even) << c.x;
    EXPECT_EQ(round_real(c.x, Rounding::half_away), c.half_away) << c.x;
    EXPECT_EQ(round_real(c.x, Rounding::half_up), c.half_up) << c.x;
    EXPECT_EQ(round_real(c.x, Rounding::floor), c.floor) << c.x;
  }
}

TEST(RoundReal, JustBelowATieIsBelowIt) {
  // 0.49999999999999994 + 0.5 is 1 in double.
  for (Rounding rounding : {Rounding::half_even, Rounding::half_away, Rounding::half_up}) {
    EXPECT_EQ(round_real(0.49999999999999994, rounding), 0);
    EXPECT_EQ(round_real(-0.49999999999999994, rounding), 0);
    EXPECT_EQ(round_real(-0.50000000000000011, rounding), -1);
    EXPECT_EQ(round_real(0.50000000000000011, rounding), 1);
  }
}

TEST(RoundReal, OddIntegersBeyondTheLastHalfStayThemselves) {
  // 2^52 + 1 + 0.5 is 2^52 + 2 in double.
  for (Rounding rounding : kRoundings) {
    for (double x : {0x1p52 + 1, -(0x1p52 + 1), 0x1p53 - 1, 0x1p53, 0x1p62, -0x1p63, 1e300}) {
      EXPECT_EQ(round_real(x, rounding), x) << name_of(rounding);
    }
  }
  EXPECT_EQ(round_real(0x1p52 - 0.5, Rounding::half_even), 0x1p52);
  EXPECT_EQ(round_real(0x1p52 - 1.5, Rounding::half_even), 0x1p52 - 2);
  EXPECT_EQ(round_real(-(0x1p52 - 0.5), Rounding::half_up), -(0x1p52 - 1));
}

TEST(RoundReal, TheSmallestNumbersRoundToZeroOrTheFloor) {
  const double tiny = std::numeric_limits<double>::denorm_min();
  for (Rounding rounding : kRoundings) {
    EXPECT_EQ(round_real(tiny, rounding), 0);
    EXPECT_EQ(round_real(-tiny, rounding), rounding == Rounding::floor ? -1 : 0);
    EXPECT_EQ(round_real(0.0, rounding), 0);
    EXPECT_EQ(round_real(-0.0, rounding), 0);
  }
}

TEST(RoundReal, InfinityAndNanPass) {
  for (Rounding rounding : kRoundings) {
    EXPECT_EQ(round_real(kInfinity, rounding), kInfinity);
    EXPECT_EQ(round_real(-kInfinity, rounding), -kInfinity);
    EXPECT_TRUE(std::isnan(round_real(std::nan(""), rounding)));
  }
}

RC_GTEST_PROP(RoundReal, HalfAwayAndHalfEvenAreOdd, ()) {
  const double x = *any_real();
  RC_ASSERT(round_real(-x, Rounding::half_away) == -round_real(x, Rounding::half_away));
  RC_ASSERT(round_real(-x, Rounding::half_even) == -round_real(x, Rounding::half_even));
}

RC_GTEST_PROP(RoundReal, HalfUpIsTheFloorOfXPlusAHalf, ()) {
  // n/2^20 + ½ is exact in double.
  const double x = std::ldexp(static_cast<double>(*any_int64() >> 14), -20);
  RC_ASSERT(round_real(x, Rounding::half_up) == std::floor(x + 0.5));
}

RC_GTEST_PROP(RoundReal, IsMonotoneAndWithinReach, (Rounding rounding)) {
  const double x = *any_real();
  const double y = *any_real();
  RC_ASSERT(round_real(std::min(x, y), rounding) <= round_real(std::max(x, y), rounding));
  const double rounded = round_real(x, rounding);
  RC_ASSERT(std::floor(x) <= rounded);
  RC_ASSERT(rounded <= std::ceil(x));
  RC_ASSERT(round_real(rounded, rounding) == rounded);
}

RC_GTEST_PROP(RoundStochastic, IsExactlyRightInExpectation, ()) {
  // Over u = j/256, j = 0..255, the mean of ⌊x + u⌋ is x for every multiple x of 1/256.
  const auto n = *rc::gen::inRange(-100'000, 100'000);
  double sum = 0;
  for (int j = 0; j < 256; ++j) sum += round_stochastic(n / 256.0, j / 256.0);
  RC_ASSERT(sum == n);
}

TEST(RoundStochastic, WholeNumbersStayThemselvesForEveryU) {
  // Section 2: rounding is of the real number, not of a sum that has itself been rounded. 1 + (1 − 2^−53) is
  // 2 in double.
  for (double x : {0.0, 1.0, -1.0, 2.0, 1000.0, 0x1p40})
    for (double u : {0.0, 0.5, 1 - 0x1p-24, 1 - 0x1p-53})
      EXPECT_EQ(round_stochastic(x, u), x) << "u = 1 - " << 1 - u;
}

TEST(RoundShift, IsTheDefinitionForEveryShift) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> xs{0, kMin, kMin + 1, kMax, kMax - 1};
  for (int bit = 0; bit < 63; ++bit)
    for (std::int64_t factor : {1, 3, 5}) {
      if (bit > 60 && factor > 1) continue;
      const std::int64_t power = factor << bit;
      for (std::int64_t x : {power - 1, power, power + 1}) {
        xs.push_back(x);
        xs.push_back(-x);
      }
    }
  for (int k = -70; k <= 130; ++k)
    for (Rounding rounding : kRoundings)
      for (std::int64_t x : xs)
        ASSERT_EQ(round_shift(x, k, rounding), round_shift_exactly(x, k, rounding))
            << x << " by " << k << " " << name_of(rounding);
}

RC_GTEST_PROP(RoundShift, IsTheDefinitionForAnyInteger, (Rounding rounding)) {
  for (int i = 0; i < 20; ++i) {
    const std::int64_t x = *any_int64();
    const int k = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(-70, 131));
    RC_ASSERT(round_shift(x, k, rounding) == round_shift_exactly(x, k, rounding));
  }
}

TEST(RoundShift, Ties) {
  EXPECT_EQ(round_shift(5, 1, Rounding::half_even), 2);
  EXPECT_EQ(round_shift(-5, 1, Rounding::half_even), -2);
  EXPECT_EQ(round_shift(7, 1, Rounding::half_even), 4);
  EXPECT_EQ(round_shift(-7, 1, Rounding::half_even), -4);
  EXPECT_EQ(round_shift(-5, 1, Rounding::half_away), -3);
  EXPECT_EQ(round_shift(-5, 1, Rounding::half_up), -2);
  EXPECT_EQ(round_shift(-5, 1, Rounding::floor), -3);
}

TEST(RoundShift, SaturatesToTheLeft) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  for (Rounding rounding : kRoundings) {
    EXPECT_EQ(round_shift(1, -62, rounding), std::int64_t{1} << 62);
    EXPECT_EQ(round_shift(1, -63, rounding), kMax);
    EXPECT_EQ(round_shift(-1, -63, rounding), kMin);
    EXPECT_EQ(round_shift(-2, -62, rounding), kMin);
    EXPECT_EQ(round_shift(-3, -62, rounding), kMin);
    EXPECT_EQ(round_shift(1, std::numeric_limits<int>::min(), rounding), kMax);
    EXPECT_EQ(round_shift(0, std::numeric_limits<int>::min(), rounding), 0);
  }
}

TEST(RoundShift, ShiftsBeyondEveryBitLeaveTheSign) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  for (int k : {64, 65, 66, 67, 128, std::numeric_limits<int>::max()}) {
    EXPECT_EQ(round_shift(kMin, k, Rounding::floor), -1) << k;
    EXPECT_EQ(round_shift(-1, k, Rounding::floor), -1) << k;
    EXPECT_EQ(round_shift(-1, k, Rounding::half_away), 0) << k;
    EXPECT_EQ(round_shift(kMin, k, Rounding::half_even), 0) << k;
    EXPECT_EQ(round_shift(std::numeric_limits<std::int64_t>::max(), k, Rounding::half_up), 0) << k;
  }
  // −2^63 / 2^64 is a tie.
  EXPECT_EQ(round_shift(kMin, 64, Rounding::half_away), -1);
  EXPECT_EQ(round_shift(kMin, 64, Rounding::half_up), 0);
}

RC_GTEST_PROP(RoundShift, AgreesWithRoundReal, (Rounding rounding)) {
  const std::int64_t x = *any_int64() >> 11;  // exact in double
  const int k = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(-9, 70));
  RC_ASSERT(static_cast<double>(round_shift(x, k, rounding)) ==
            round_real(std::ldexp(static_cast<double>(x), -k), rounding));
}

TEST(RoundingNames, ReadBack) {
  for (Rounding rounding : kRoundings) EXPECT_EQ(rounding_from(name_of(rounding)), rounding);
  EXPECT_EQ(name_of(Rounding::half_even), "half_even");
  EXPECT_EQ(name_of(Rounding::floor), "floor");
}

TEST(RoundingNames, UnknownOnesAreUsageErrors) {
  for (const char* name : {"", "HALF_EVEN", "half_even ", "nearest", "half-even"})
    EXPECT_THROW(rounding_from(name), UsageError) << name;
  EXPECT_EQ(message_of<UsageError>([] { rounding_from("nearest"); }),
            "[rounding] unknown mode, got 'nearest', expected half_even, half_away, half_up or floor");
}

}  // namespace
}  // namespace halftone::numeric
