#include "halftone/numeric/float_format.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

constexpr FloatFormat kAll[] = {kFp16, kBf16, kFp8E4m3, kFp8E5m2};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::uint32_t patterns(const FloatFormat& format) { return 1U << format.bits(); }
std::uint32_t sign_bit(const FloatFormat& format) { return 1U << (format.bits() - 1); }

// The positive finite values in the order of their patterns: index = pattern.
std::vector<double> positive_values(const FloatFormat& format) {
  std::vector<double> values;
  for (std::uint32_t bits = 0; std::isfinite(decode(bits, format)); ++bits)
    values.push_back(decode(bits, format));
  return values;
}

TEST(FloatFormat, EncodeIsTheInverseOfDecodeForEveryPattern) {
  for (const FloatFormat& format : kAll)
    for (std::uint32_t bits = 0; bits < patterns(format); ++bits) {
      const double value = decode(bits, format);
      if (std::isnan(value)) {
        ASSERT_TRUE(std::isnan(decode(encode(value, format), format))) << format.name << " " << bits;
      } else {
        ASSERT_EQ(encode(value, format), bits) << format.name << " " << value;
        if (!std::isinf(value)) {
          ASSERT_EQ(encode(value, format, true), bits) << format.name << " " << value;
        }
      }
    }
}

// From 0 upwards every pattern is one unit in the last place above the one before it.
TEST(FloatFormat, PatternsCountUpInUnitsOfTheLastPlace) {
  for (const FloatFormat& format : kAll) {
    const std::vector<double> values = positive_values(format);
    double expected = 0;
    for (std::uint32_t bits = 0; bits < values.size(); ++bits) {
      ASSERT_EQ(values[bits], expected) << format.name << " " << bits;
      ASSERT_EQ(decode(bits | sign_bit(format), format), -expected);
      const int exponent = std::max(1, static_cast<int>(bits >> format.mantissa_bits));
      expected += std::ldexp(1.0, exponent - format.bias() - format.mantissa_bits);
    }
    EXPECT_EQ(values.back(), largest_finite(format)) << format.name;
  }
}

TEST(FloatFormat, HowManyPatternsAreInfiniteOrNan) {
  std::map<std::string_view, std::pair<int, int>> counts;
  for (const FloatFormat& format : kAll)
    for (std::uint32_t bits = 0; bits < patterns(format); ++bits) {
      counts[format.name].first += std::isinf(decode(bits, format));
      counts[format.name].second += std::isnan(decode(bits, format));
    }
  EXPECT_EQ(counts["fp16"], (std::pair{2, 2 * 1023}));
  EXPECT_EQ(counts["bf16"], (std::pair{2, 2 * 127}));
  EXPECT_EQ(counts["fp8e4m3"], (std::pair{0, 2}));
  EXPECT_EQ(counts["fp8e5m2"], (std::pair{2, 2 * 3}));
}

TEST(FloatFormat, Bf16IsTheUpperHalfOfFloat32) {
  for (std::uint32_t bits = 0; bits < patterns(kBf16); ++bits) {
    const auto value = std::bit_cast<float>(bits << 16);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(decode(bits, kBf16)));
    } else {
      ASSERT_EQ(decode(bits, kBf16), value) << bits;
    }
  }
}

TEST(FloatFormat, E5m2IsTheUpperHalfOfFp16) {
  for (std::uint32_t bits = 0; bits < patterns(kFp8E5m2); ++bits) {
    const double value = decode(bits << 8, kFp16);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(decode(bits, kFp8E5m2)));
    } else {
      ASSERT_EQ(decode(bits, kFp8E5m2), value) << bits;
    }
  }
}

// Halfway between neighbours the even pattern is right; a step of 2^−30 to either side decides it.
TEST(FloatFormat, EveryTieGoesToTheEvenPattern) {
  for (const FloatFormat& format : kAll) {
    const std::vector<double> values = positive_values(format);
    for (std::uint32_t bits = 0; bits + 1 < values.size(); ++bits) {
      const double tie = (values[bits] + values[bits + 1]) / 2;
      const std::uint32_t even = bits % 2 == 0 ? bits : bits + 1;
      ASSERT_EQ(encode(tie, format), even) << format.name << " " << tie;
      ASSERT_EQ(encode(-tie, format), even | sign_bit(format)) << format.name << " " << -tie;
      ASSERT_EQ(encode(tie * (1 - 0x1p-30), format), bits) << format.name << " below " << tie;
      ASSERT_EQ(encode(tie * (1 + 0x1p-30), format), bits + 1) << format.name << " above " << tie;
    }
  }
}

RC_GTEST_PROP(FloatFormat, EncodesToTheNearest, ()) {
  for (const FloatFormat& format : kAll) {
    const int low = 1 - format.bias() - format.mantissa_bits - 3;
    const int high = std::ilogb(largest_finite(format)) - 1;
    const double x = *real_of_exponent(low, high);
    const double error = std::fabs(decode(encode(x, format), format) - x);
    const double unit = std::ldexp(1.0, std::max(std::ilogb(x), 1 - format.bias()) - format.mantissa_bits);
    RC_ASSERT(error <= unit / 2);
  }
}

TEST(FloatFormat, KnownValues) {
  struct Case {
    const FloatFormat& format;
    double value;
    std::uint32_t bits;
  };
  for (const Case& c :
       {Case{kFp16, 1.0, 0x3C00},        Case{kFp16, -2.0, 0xC000},       Case{kFp16, 65504.0, 0x7BFF},
        Case{kFp16, 0x1p-24, 0x0001},    Case{kFp16, 0x1p-14, 0x0400},    Case{kFp16, 1.0 / 3, 0x3555},
        Case{kFp16, 3.14159265, 0x4248}, Case{kFp16, -0.0, 0x8000},       Case{kFp16, 0.1, 0x2E66},
        Case{kBf16, 1.0, 0x3F80},        Case{kBf16, 3.14159265, 0x4049}, Case{kBf16, 0x1p-133, 0x0001},
        Case{kBf16, 1.0 / 3, 0x3EAB},    Case{kFp8E4m3, 1.0, 0x38},       Case{kFp8E4m3, 448.0, 0x7E},
        Case{kFp8E4m3, 0x1p-9, 0x01},    Case{kFp8E4m3, 0x1p-6, 0x08},    Case{kFp8E4m3, -1.5, 0xBC},
        Case{kFp8E5m2, 1.0, 0x3C},       Case{kFp8E5m2, 57344.0, 0x7B},   Case{kFp8E5m2, 0x1p-16, 0x01},
        Case{kFp8E5m2, 0x1p-14, 0x04},   Case{kFp8E5m2, -0.0, 0x80}})
    EXPECT_EQ(encode(c.value, c.format), c.bits) << c.format.name << " " << c.value;
}

TEST(FloatFormat, LargestFinite) {
  EXPECT_EQ(largest_finite(kFp16), 65504);
  EXPECT_EQ(largest_finite(kBf16), 0x1.FEp127);
  EXPECT_EQ(largest_finite(kFp8E4m3), 448);
  EXPECT_EQ(largest_finite(kFp8E5m2), 57344);
}

TEST(FloatFormat, OverflowBeginsHalfAUnitAboveTheLargest) {
  // The tie itself goes to the even neighbour: up to infinity, but down to 448, whose mantissa is even.
  EXPECT_EQ(encode(65519.99, kFp16), 0x7BFFU);
  EXPECT_EQ(encode(65520, kFp16), 0x7C00U);
  EXPECT_EQ(encode(-65520, kFp16), 0xFC00U);
  EXPECT_EQ(encode(61439.99, kFp8E5m2), 0x7BU);
  EXPECT_EQ(encode(61440, kFp8E5m2), 0x7CU);
  EXPECT_EQ(encode(std::numeric_limits<float>::max(), kBf16), 0x7F80U);
  EXPECT_EQ(encode(464, kFp8E4m3), 0x7EU);
  EXPECT_EQ(encode(464.01, kFp8E4m3), 0x7FU);
  EXPECT_EQ(encode(-464.01, kFp8E4m3), 0xFFU);
}

TEST(FloatFormat, BeyondTheFormatIsInfinityOrNanOrTheLargest) {
  for (const FloatFormat& format : kAll)
    for (double x : {1e300, std::numeric_limits<double>::max(), kInfinity})
      for (double sign : {1.0, -1.0}) {
        const double plain = decode(encode(sign * x, format), format);
        if (format.has_infinity) {
          EXPECT_EQ(plain, sign * kInfinity) << format.name;
        } else {
          EXPECT_TRUE(std::isnan(plain)) << format.name;
        }
        EXPECT_EQ(decode(encode(sign * x, format, true), format), sign * largest_finite(format))
            << format.name;
      }
}

TEST(FloatFormat, NanStaysNan) {
  for (const FloatFormat& format : kAll)
    for (bool saturate : {false, true})
      EXPECT_TRUE(std::isnan(decode(encode(std::nan(""), format, saturate), format))) << format.name;
  EXPECT_EQ(encode(std::nan(""), kFp8E4m3) & 0x7FU, 0x7FU);
}

TEST(FloatFormat, SmallerThanHalfTheSmallestIsASignedZero) {
  for (const FloatFormat& format : kAll) {
    const double smallest = decode(1, format);
    for (double x : {5e-324, 1e-300, smallest / 4, smallest / 2}) {
      EXPECT_EQ(encode(x, format), 0U) << format.name << " " << x;
      EXPECT_EQ(encode(-x, format), sign_bit(format)) << format.name << " " << -x;
    }
    EXPECT_EQ(encode(smallest * 0.5000001, format), 1U) << format.name;
    EXPECT_EQ(encode(smallest * 1.5, format), 2U) << format.name;
  }
}

TEST(FloatFormat, TheLargestSubnormalRoundsUpToTheSmallestNormal) {
  for (const FloatFormat& format : kAll) {
    const double normal = std::ldexp(1.0, 1 - format.bias());
    EXPECT_EQ(encode(normal * (1 - 0x1p-30), format), 1U << format.mantissa_bits) << format.name;
    EXPECT_EQ(encode(normal, format), 1U << format.mantissa_bits) << format.name;
  }
}

// Encoding is right from double, not by way of float32, which rounds twice.
TEST(FloatFormat, RoundsOnce) {
  // 1 + 2^−11 + 2^−40 lies above the tie of fp16; as a float32 it is the tie.
  EXPECT_EQ(encode(1 + 0x1p-11 + 0x1p-40, kFp16), 0x3C01U);
  EXPECT_EQ(encode(1 + 0x1p-11, kFp16), 0x3C00U);
  EXPECT_EQ(encode(1 + 0x1p-8 + 0x1p-40, kBf16), 0x3F81U);
}

}  // namespace
}  // namespace halftone::numeric
