#include "halftone/numeric/affine.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cfloat>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/base/message_of.h"
#include "tests/numeric/exact_rounding.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr IntegerFormat kInt8{8, true, false};
constexpr IntegerFormat kInt8Narrow{8, true, true};
constexpr IntegerFormat kUint8{8, false, false};

std::vector<IntegerFormat> every_format() {
  std::vector<IntegerFormat> formats;
  for (int bits = 1; bits <= kMaxBits; ++bits) {
    formats.push_back({bits, false, false});
    formats.push_back({bits, true, false});
    if (bits >= 2) formats.push_back({bits, true, true});
  }
  return formats;
}

double integers_of(const IntegerFormat& format) { return static_cast<double>(format.qmax()) - format.qmin(); }

// Section 3's scale before it is stored.
double exact_scale(Range range, const IntegerFormat& format, Scheme scheme) {
  const double lo = std::min(range.lo, 0.0);
  const double hi = std::max(range.hi, 0.0);
  if (scheme == Scheme::asymmetric) return (hi - lo) / integers_of(format);
  const double alpha = std::max(-lo, hi);
  const bool full = format.is_signed && !format.narrow;
  return alpha / (full ? -static_cast<double>(format.qmin()) : format.qmax());
}

// Every format × scheme × power of two that this range may have, up to the first failure.
template <typename F>
void for_every_setting(Range range, const F& f) {
  for (const IntegerFormat& format : every_format())
    for (Scheme scheme : {Scheme::asymmetric, Scheme::symmetric}) {
      if (scheme == Scheme::symmetric && !format.is_signed && range.lo < 0) continue;
      for (bool power_of_two : {false, true})
        if (!testing::Test::HasFailure()) f(format, scheme, power_of_two);
    }
}

Range range_of(double a, double b) { return {std::min(a, b), std::max(a, b)}; }

rc::Gen<Range> any_range(int low, int high) {
  const auto end = rc::gen::oneOf(real_of_exponent(low, high), rc::gen::just(0.0), real_of_exponent(-2, 2));
  return rc::gen::map(rc::gen::pair(end, end),
                      [](const auto& ends) { return range_of(ends.first, ends.second); });
}

RC_GTEST_PROP(AffineFromRange, ScaleIsNormalAndTheZeroPointInside, ()) {
  const Range range = *any_range(-160, 140);
  for_every_setting(range, [&](const IntegerFormat& format, Scheme scheme, bool power_of_two) {
    const Affine affine = affine_from_range(range, format, scheme, power_of_two);
    RC_ASSERT(std::isnormal(affine.scale));
    RC_ASSERT(affine.scale > 0.0F);
    RC_ASSERT(affine.zero_point >= format.qmin());
    RC_ASSERT(affine.zero_point <= format.qmax());
    if (scheme == Scheme::symmetric) RC_ASSERT(affine.zero_point == 0);
    if (range == Range{0, 0}) {
      RC_ASSERT(affine == Affine{});
    } else if (power_of_two) {
      RC_ASSERT(is_power_of_two(affine.scale));
    }
  });
}

RC_GTEST_PROP(AffineFromRange, ScaleIsTheStatedQuotientRoundedOnce, ()) {
  const Range range = *any_range(-100, 120);
  RC_PRE(!(range == Range{0, 0}));
  for_every_setting(range, [&](const IntegerFormat& format, Scheme scheme, bool power_of_two) {
    const double scale = affine_from_range(range, format, scheme, power_of_two).scale;
    const double exact = exact_scale(range, format, scheme);
    if (power_of_two) {
      RC_ASSERT(scale >= exact);
      RC_ASSERT(scale / 2 < exact);
    } else {
      RC_ASSERT(scale == static_cast<float>(exact));
    }
  });
}

// The scale is stored with a relative error of 2^−24, which over all integers of the format is `stored`
// steps.
RC_GTEST_PROP(AffineFromRange, CoversTheRangeWithinHalfAStep, ()) {
  const Range range = *any_range(-100, 120);
  for_every_setting(range, [&](const IntegerFormat& format, Scheme scheme, bool power_of_two) {
    const Affine affine = affine_from_range(range, format, scheme, power_of_two);
    const double s = affine.scale;
    const double lowest = s * (format.qmin() - affine.zero_point);
    const double highest = s * (format.qmax() - affine.zero_point);
    const double stored = integers_of(format) * 0x1p-23;
    if (scheme == Scheme::asymmetric) {
      RC_ASSERT(range.lo >= lowest - s * (0.5 + stored));
      RC_ASSERT(range.hi <= highest + s * (0.5 + stored));
    } else {
      RC_ASSERT(range.lo >= lowest - s * stored);
      // Full range: +α is the integer 2^(b−1), one above qmax.
      const bool full = format.is_signed && !format.narrow;
      RC_ASSERT(range.hi <= highest + s * ((full ? 1 : 0) + stored));
    }
  });
}

RC_GTEST_PROP(AffineFromRange, ZeroPointComesFromTheStoredScale, (IntegerFormat format)) {
  const Range range = *any_range(-100, 120);
  RC_PRE(!(range == Range{0, 0}));
  for (bool power_of_two : {false, true}) {
    const Affine affine = affine_from_range(range, format, Scheme::asymmetric, power_of_two);
    const double zero = std::nearbyint(format.qmin() - std::min(range.lo, 0.0) / affine.scale);
    RC_ASSERT(affine.zero_point == std::clamp<double>(zero, format.qmin(), format.qmax()));
  }
}

RC_GTEST_PROP(AffineFromRange, RealZeroIsExact, (IntegerFormat format)) {
  const Range range = *any_range(-160, 140);
  const Affine affine = affine_from_range(range, format, Scheme::asymmetric);
  RC_ASSERT(quantize(0.0F, affine, format) == affine.zero_point);
  RC_ASSERT(quantize(-0.0F, affine, format) == affine.zero_point);
  RC_ASSERT(dequantize(affine.zero_point, affine) == 0.0F);
}

TEST(AffineFromRange, ByHand) {
  EXPECT_EQ(affine_from_range({-1, 1}, kInt8Narrow, Scheme::symmetric), (Affine{1.0F / 127, 0}));
  EXPECT_EQ(affine_from_range({-1, 1}, kInt8, Scheme::symmetric), (Affine{1.0F / 128, 0}));
  EXPECT_EQ(affine_from_range({0, 1}, kUint8, Scheme::symmetric), (Affine{1.0F / 255, 0}));
  EXPECT_EQ(affine_from_range({-1, 1.55}, kUint8, Scheme::asymmetric), (Affine{0.01F, 100}));
  EXPECT_EQ(affine_from_range({-1, 1.55}, kInt8, Scheme::asymmetric), (Affine{0.01F, -28}));
  EXPECT_EQ(affine_from_range({0, 255}, kUint8, Scheme::asymmetric), (Affine{1.0F, 0}));
  EXPECT_EQ(affine_from_range({-255, 0}, kUint8, Scheme::asymmetric), (Affine{1.0F, 255}));
  EXPECT_EQ(affine_from_range({-3, 1}, {1, false, false}, Scheme::asymmetric), (Affine{4.0F, 1}));
}

TEST(AffineFromRange, ARangeThatMissesZeroIsWidenedToIt) {
  for (Scheme scheme : {Scheme::asymmetric, Scheme::symmetric})
    EXPECT_EQ(affine_from_range({2, 3}, kUint8, scheme), affine_from_range({0, 3}, kUint8, scheme));
  EXPECT_EQ(affine_from_range({-3, -2}, kUint8, Scheme::asymmetric),
            affine_from_range({-3, 0}, kUint8, Scheme::asymmetric));
  EXPECT_EQ(affine_from_range({5, 5}, kInt8, Scheme::symmetric),
            affine_from_range({-5, 5}, kInt8, Scheme::symmetric));
}

TEST(AffineFromRange, TiesOfTheZeroPointGoToEven) {
  // s = 1: −lo/s is 0.5, 1.5, 2.5.
  EXPECT_EQ(affine_from_range({-0.5, 254.5}, kUint8, Scheme::asymmetric).zero_point, 0);
  EXPECT_EQ(affine_from_range({-1.5, 253.5}, kUint8, Scheme::asymmetric).zero_point, 2);
  EXPECT_EQ(affine_from_range({-2.5, 252.5}, kUint8, Scheme::asymmetric).zero_point, 2);
  EXPECT_EQ(affine_from_range({-2.5, 252.5}, kInt8, Scheme::asymmetric).zero_point, -126);
}

TEST(AffineFromRange, ThePowerOfTwoIsTakenBeforeTheZeroPoint) {
  // (1 + 1.55)/255 = 0.01 becomes 1/64: z = 1·64, not 100.
  EXPECT_EQ(affine_from_range({-1, 1.55}, kUint8, Scheme::asymmetric, true), (Affine{1.0F / 64, 64}));
  EXPECT_EQ(affine_from_range({-1, 1}, kInt8Narrow, Scheme::symmetric, true), (Affine{1.0F / 64, 0}));
  EXPECT_EQ(affine_from_range({-1, 1}, kInt8, Scheme::symmetric, true), (Affine{1.0F / 128, 0}));
}

TEST(AffineFromRange, ThePowerOfTwoIsTakenBeforeTheScaleIsStored) {
  // 1 + 2^−40 is 1 in float32, and yet needs the scale 2.
  EXPECT_EQ(affine_from_range({0, 1 + 0x1p-40}, {1, false, false}, Scheme::symmetric, true).scale, 2.0F);
  EXPECT_EQ(affine_from_range({0, 1 + 0x1p-40}, {1, false, false}, Scheme::symmetric, false).scale, 1.0F);
}

TEST(AffineFromRange, ZeroWidthIsScaleOne) {
  for_every_setting({0, 0}, [](const IntegerFormat& format, Scheme scheme, bool power_of_two) {
    EXPECT_EQ(affine_from_range({0, 0}, format, scheme, power_of_two), Affine{});
    EXPECT_EQ(affine_from_range({-0.0, 0.0}, format, scheme, power_of_two), Affine{});
  });
}

TEST(AffineFromRange, TheSmallestRangesGetTheSmallestNormalScale) {
  // Even the quotient of 5e−324 by qmax − qmin is zero in double.
  for (double tiny : {1e-39, 1e-45, 1e-300, 5e-324})
    for_every_setting({0, tiny}, [&](const IntegerFormat& format, Scheme scheme, bool power_of_two) {
      const Affine affine = affine_from_range({0, tiny}, format, scheme, power_of_two);
      EXPECT_EQ(affine.scale, FLT_MIN)
          << tiny << " " << name_of(format) << (power_of_two ? " power of two" : "");
      EXPECT_EQ(affine.zero_point, scheme == Scheme::symmetric ? 0 : format.qmin());
    });
}

TEST(AffineFromRange, TheLargestRangesGetTheLargestScale) {
  // 1e308 − −1e308 is infinite in double.
  for (Range range : {Range{-1e300, 1e300}, Range{-1e308, 1e308}})
    for_every_setting(range, [&](const IntegerFormat& format, Scheme scheme, bool power_of_two) {
      const Affine affine = affine_from_range(range, format, scheme, power_of_two);
      EXPECT_EQ(affine.scale, power_of_two ? 0x1p127F : FLT_MAX)
          << range.hi << " " << name_of(format)
          << (scheme == Scheme::symmetric ? " symmetric" : " asymmetric")
          << (power_of_two ? " power of two" : "");
      EXPECT_GE(affine.zero_point, format.qmin());
      EXPECT_LE(affine.zero_point, format.qmax());
    });
}

TEST(AffineFromRange, TheLargestFloatsAreCovered) {
  const Affine affine = affine_from_range({-FLT_MAX, FLT_MAX}, kUint8, Scheme::asymmetric);
  EXPECT_EQ(quantize(-FLT_MAX, affine, kUint8), 0);
  EXPECT_EQ(quantize(FLT_MAX, affine, kUint8), 255);
  EXPECT_NEAR(affine.zero_point, 127.5, 0.5);
}

TEST(AffineFromRange, RefusesWhatIsNotARange) {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (Range range : {Range{nan, 1}, Range{-1, nan}, Range{nan, nan}, Range{-inf, 1}, Range{-1, inf},
                      Range{inf, inf}, Range{1, -1}, Range{1e-30, 0}})
    for (Scheme scheme : {Scheme::asymmetric, Scheme::symmetric})
      EXPECT_THROW(affine_from_range(range, kInt8, scheme), InputError) << range.lo << " " << range.hi;
  EXPECT_EQ(message_of<InputError>([] {
              affine_from_range({1, -1}, kInt8, Scheme::symmetric);
            }),
            "[range] got 1 to -1, expected finite numbers in order");
}

TEST(AffineFromRange, SymmetricUnsignedTakesNoNegativeNumber) {
  EXPECT_THROW(affine_from_range({-1e-30, 1}, kUint8, Scheme::symmetric), InputError);
  EXPECT_NO_THROW(affine_from_range({-0.0, 1}, kUint8, Scheme::symmetric));
  EXPECT_NO_THROW(affine_from_range({-1e-30, 1}, kUint8, Scheme::asymmetric));
}

TEST(AffineFromRange, ChecksTheFormat) {
  EXPECT_THROW(affine_from_range({-1, 1}, {0, true, false}, Scheme::symmetric), UsageError);
  EXPECT_THROW(affine_from_range({-1, 1}, {17, true, false}, Scheme::symmetric), UsageError);
  EXPECT_THROW(affine_from_range({0, 1}, {8, false, true}, Scheme::symmetric), UsageError);
  EXPECT_THROW(affine_from_range({0, 0}, {1, true, true}, Scheme::symmetric), UsageError);
}

// An affine map of the format whose integers are finite reals, and one of these integers.
struct Drawn {
  IntegerFormat format;
  Affine affine;
  std::int32_t q;
};
rc::Gen<Drawn> any_affine() {
  return rc::gen::exec([] {
    const auto format = *rc::gen::arbitrary<IntegerFormat>();
    const auto integer =
        rc::gen::resize(rc::kNominalSize, rc::gen::inRange(format.qmin(), format.qmax() + 1));
    return Drawn{format, {*positive_float_of_exponent(-126, 108), *integer}, *integer};
  });
}

// The quotient r/s has a relative error of 2^−24, and so has the product s·(q − z).
RC_GTEST_PROP(Quantize, ComesBackWithinHalfAStep, ()) {
  const Drawn d = *any_affine();
  const auto place = *real_of_exponent(-3, 0) * 0.49;
  const auto x =
      static_cast<float>((d.q - d.affine.zero_point + place) * static_cast<double>(d.affine.scale));
  const double back = dequantize(quantize(x, d.affine, d.format), d.affine);
  const double s = d.affine.scale;
  const bool inside =
      x >= s * (d.format.qmin() - d.affine.zero_point) && x <= s * (d.format.qmax() - d.affine.zero_point);
  if (inside) RC_ASSERT(std::fabs(back - x) <= s * (0.5 + (std::fabs(x / s) + 1) * 0x1p-22));
}

RC_GTEST_PROP(Quantize, IsMonotone, (Rounding rounding)) {
  const Drawn d = *any_affine();
  const float x = *float_of_exponent(-126, 127);
  const float y = std::nextafterf(x, *rc::gen::element(-kInfinity, kInfinity));
  const float z = *float_of_exponent(-126, 127);
  for (float other : {y, z})
    RC_ASSERT(quantize(std::min(x, other), d.affine, d.format, rounding) <=
              quantize(std::max(x, other), d.affine, d.format, rounding));
}

RC_GTEST_PROP(Quantize, EveryIntegerComesBack, ()) {
  const Drawn d = *any_affine();
  for (Rounding rounding : {Rounding::half_even, Rounding::half_away, Rounding::half_up})
    RC_ASSERT(quantize(dequantize(d.q, d.affine), d.affine, d.format, rounding) == d.q);
}

RC_GTEST_PROP(Quantize, FakeQuantizingTwiceIsOnce, ()) {
  const Drawn d = *any_affine();
  const float x = *float_of_exponent(-126, 127);
  const float once = dequantize(quantize(x, d.affine, d.format), d.affine);
  RC_ASSERT(dequantize(quantize(once, d.affine, d.format), d.affine) == once);
}

RC_GTEST_PROP(Quantize, WithAPowerOfTwoScaleIsExactRounding, (Rounding rounding)) {
  const auto format = *rc::gen::arbitrary<IntegerFormat>();
  const auto eighths = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(-800'000, 800'000));
  const auto exponent = *rc::gen::inRange(-100, 100);
  const Affine affine{std::ldexp(1.0F, exponent), 0};
  const auto q = static_cast<std::int64_t>(round_dyadic(eighths, 3, rounding));
  RC_ASSERT(quantize(std::ldexp(static_cast<float>(eighths), exponent - 3), affine, format, rounding) ==
            saturate(q, format.qmin(), format.qmax()));
}

TEST(Quantize, TiesByMode) {
  const Affine one;
  const auto all = [&](float x) {
    std::vector<int> result;
    for (Rounding rounding : kRoundings) result.push_back(quantize(x, one, kInt8, rounding));
    return result;
  };
  // half_even, half_away, half_up, floor
  EXPECT_EQ(all(2.5F), (std::vector{2, 3, 3, 2}));
  EXPECT_EQ(all(-2.5F), (std::vector{-2, -3, -2, -3}));
  EXPECT_EQ(all(-0.5F), (std::vector{0, -1, 0, -1}));
  EXPECT_EQ(all(126.5F), (std::vector{126, 127, 127, 126}));
  EXPECT_EQ(all(127.5F), (std::vector{127, 127, 127, 127}));
  EXPECT_EQ(all(-128.5F), (std::vector{-128, -128, -128, -128}));
}

TEST(Quantize, RoundsBeforeTheZeroPointIsAdded) {
  // round(0.5) + 1 = 1; round(0.5 + 1) would be 2.
  EXPECT_EQ(quantize(0.5F, {1.0F, 1}, kInt8), 1);
  EXPECT_EQ(quantize(2.5F, {1.0F, 3}, kInt8), 5);
}

TEST(Quantize, IsOneFloat32Division) {
  // 0.35F/0.1F is 3.5 in float32 (a tie, to 4); in double the quotient of these floats lies below 3.5.
  EXPECT_LT(static_cast<double>(0.35F) / static_cast<double>(0.1F), 3.5);
  EXPECT_EQ(quantize(0.35F, {0.1F, 0}, kInt8), 4);
}

TEST(Quantize, SaturatesInfinityAndOverflow) {
  for (Rounding rounding : kRoundings) {
    EXPECT_EQ(quantize(kInfinity, {1.0F, 5}, kInt8, rounding), 127);
    EXPECT_EQ(quantize(-kInfinity, {1.0F, 5}, kInt8, rounding), -128);
    EXPECT_EQ(quantize(-kInfinity, {1.0F, 0}, kInt8Narrow, rounding), -127);
    EXPECT_EQ(quantize(kInfinity, {1.0F, 255}, kUint8, rounding), 255);
    EXPECT_EQ(quantize(FLT_MAX, {FLT_MIN, 0}, kUint8, rounding), 255);
    EXPECT_EQ(quantize(-FLT_MAX, {FLT_MIN, 0}, kUint8, rounding), 0);
    EXPECT_EQ(quantize(1e9F, {1.0F, 0}, {16, false, false}, rounding), 65535);
  }
}

TEST(Quantize, NanIsAnError) {
  EXPECT_THROW(quantize(kNan, {}, kInt8), InputError);
  EXPECT_THROW(quantize(-kNan, {}, kUint8, Rounding::floor), InputError);
}

TEST(FixedPoint, IsAPowerOfTwoWithoutZeroPoint) {
  for (int fl = -126; fl <= 126; ++fl) {
    const Affine affine = fixed_point(fl);
    EXPECT_EQ(affine.zero_point, 0);
    EXPECT_EQ(static_cast<double>(affine.scale), std::ldexp(1.0, -fl));
    EXPECT_TRUE(std::isnormal(affine.scale));
    EXPECT_EQ(exponent_of(affine.scale), -fl);
  }
  for (int fl : {-128, -127, 127, 128, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()})
    EXPECT_THROW(fixed_point(fl), UsageError) << fl;
}

TEST(FixedPoint, RangeOfEveryWordLength) {
  for (int wl = 1; wl <= 16; ++wl)
    for (int fl = -8; fl <= 24; ++fl) {  // negative, and beyond the word
      const IntegerFormat format{wl, true, false};
      const double most = std::ldexp(1.0, wl - 1 - fl);
      EXPECT_EQ(dequantize(quantize(-kInfinity, fixed_point(fl), format), fixed_point(fl)), -most);
      EXPECT_EQ(dequantize(quantize(kInfinity, fixed_point(fl), format), fixed_point(fl)),
                most - std::ldexp(1.0, -fl));
    }
}

TEST(FixedPoint, OneBitIsMinusOneAndZero) {
  const IntegerFormat format{1, true, false};
  EXPECT_EQ(quantize(-3.0F, fixed_point(0), format), -1);
  EXPECT_EQ(quantize(-0.5F, fixed_point(0), format), 0);
  EXPECT_EQ(quantize(3.0F, fixed_point(0), format), 0);
}

TEST(PowerOfTwo, CeilIsTheLeastAtOrAbove) {
  for (int k = -126; k <= 127; ++k) {
    const double power = std::ldexp(1.0, k);
    EXPECT_EQ(ceil_power_of_two(power), power) << k;
    EXPECT_EQ(ceil_power_of_two(std::nextafter(power, 0.0)), power) << k;
    if (k < 127) {
      EXPECT_EQ(ceil_power_of_two(std::nextafter(power, 1e300)), 2 * power) << k;
    }
    EXPECT_EQ(exponent_of(static_cast<float>(power)), k);
  }
}

TEST(PowerOfTwo, CeilStaysWithinTheNormalNumbers) {
  for (double x : {0x1p-127, 0x1p-149, 1e-300, 5e-324, 0.0}) EXPECT_EQ(ceil_power_of_two(x), FLT_MIN) << x;
  for (double x : {0x1.8p127, 0x1p128, 1e300, std::numeric_limits<double>::infinity()})
    EXPECT_EQ(ceil_power_of_two(x), 0x1p127F) << x;
}

RC_GTEST_PROP(PowerOfTwo, IsRecognised, ()) {
  const float x = *positive_float_of_exponent(-126, 127);
  RC_ASSERT(is_power_of_two(x) == (ceil_power_of_two(x) == x));
}

TEST(PowerOfTwo, NothingElseIsOne) {
  for (float x : {0.0F, -1.0F, -2.0F, 3.0F, 1.5F, 0x1p-149F, 0x1p-127F, FLT_MAX, kInfinity, -kInfinity, kNan})
    EXPECT_FALSE(is_power_of_two(x)) << x;
  EXPECT_TRUE(is_power_of_two(FLT_MIN));
  EXPECT_TRUE(is_power_of_two(0x1p127F));
}

}  // namespace
}  // namespace halftone::numeric
