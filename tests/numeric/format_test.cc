#include "halftone/numeric/format.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "halftone/base/error.h"
#include "tests/base/message_of.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(IntegerFormat, Bounds) {
  for (int bits = 1; bits <= 16; ++bits) {
    std::int32_t half = 1;
    for (int i = 1; i < bits; ++i) half *= 2;
    EXPECT_EQ((IntegerFormat{bits, true, false}.qmin()), -half);
    EXPECT_EQ((IntegerFormat{bits, true, false}.qmax()), half - 1);
    EXPECT_EQ((IntegerFormat{bits, false, false}.qmin()), 0);
    EXPECT_EQ((IntegerFormat{bits, false, false}.qmax()), 2 * half - 1);
    if (bits < 2) continue;
    EXPECT_EQ((IntegerFormat{bits, true, true}.qmin()), -(half - 1));
    EXPECT_EQ((IntegerFormat{bits, true, true}.qmax()), half - 1);
  }
}

TEST(IntegerFormat, OneBit) {
  EXPECT_EQ((IntegerFormat{1, true, false}.qmin()), -1);
  EXPECT_EQ((IntegerFormat{1, true, false}.qmax()), 0);
  EXPECT_EQ((IntegerFormat{1, false, false}.qmax()), 1);
}

TEST(IntegerFormat, CheckAcceptsOneToSixteenBits) {
  for (int bits = 1; bits <= 16; ++bits)
    for (bool is_signed : {false, true}) EXPECT_NO_THROW(check({bits, is_signed, false})) << bits;
  for (int bits : {std::numeric_limits<int>::min(), -8, -1, 0, 17, 32, 64}) {
    EXPECT_THROW(check({bits, true, false}), UsageError) << bits;
    EXPECT_THROW(check({bits, false, false}), UsageError) << bits;
  }
}

TEST(IntegerFormat, NarrowIsForSignedFormatsOfTwoBitsOrMore) {
  for (int bits = 2; bits <= 16; ++bits) {
    EXPECT_NO_THROW(check({bits, true, true}));
    EXPECT_THROW(check({bits, false, true}), UsageError);
  }
  EXPECT_THROW(check({1, true, true}), UsageError);
  EXPECT_EQ(message_of<UsageError>([] {
              check({8, false, true});
            }),
            "[format] narrow uint8, expected a signed format of 2 bits or more");
  EXPECT_EQ(message_of<UsageError>([] {
              check({17, false, false});
            }),
            "[format] bits out of range, got 17, expected 1 to 16");
}

TEST(IntegerFormat, Names) {
  EXPECT_EQ(name_of(IntegerFormat{8, true, false}), "int8");
  EXPECT_EQ(name_of(IntegerFormat{4, false, false}), "uint4");
  EXPECT_EQ(name_of(IntegerFormat{16, true, true}), "int16 narrow");
}

TEST(IntegerFormat, StorageIsTheSmallestTypeThatHoldsIt) {
  for (int bits = 1; bits <= 16; ++bits) {
    EXPECT_EQ(storage_dtype({bits, true, false}), bits <= 2   ? DType::int2
                                                  : bits <= 4 ? DType::int4
                                                  : bits <= 8 ? DType::int8
                                                              : DType::int16)
        << bits;
    EXPECT_EQ(storage_dtype({bits, false, false}), bits <= 2   ? DType::uint2
                                                   : bits <= 4 ? DType::uint4
                                                   : bits <= 8 ? DType::uint8
                                                               : DType::uint16)
        << bits;
  }
}

TEST(Wrap, IsTheIntegerModuloTwoToTheBits) {
  for (int bits = 1; bits <= 16; ++bits) {
    const std::int64_t period = std::int64_t{1} << bits;
    for (bool is_signed : {false, true}) {
      const IntegerFormat format{bits, is_signed, false};
      for (std::int64_t x = -70'000; x <= 70'000; x += bits < 8 ? 7 : 1) {
        const std::int64_t wrapped = wrap(x, format);
        ASSERT_GE(wrapped, format.qmin());
        ASSERT_LE(wrapped, format.qmax());
        ASSERT_EQ((x - wrapped) % period, 0) << x << " in " << name_of(format);
      }
    }
  }
}

TEST(Wrap, LeavesTheFormatsOwnIntegersAlone) {
  for (int bits = 1; bits <= 16; ++bits)
    for (bool is_signed : {false, true}) {
      const IntegerFormat format{bits, is_signed, false};
      for (std::int64_t q = format.qmin(); q <= format.qmax(); ++q) ASSERT_EQ(wrap(q, format), q);
    }
}

TEST(Wrap, TheLargestIntegers) {
  EXPECT_EQ(wrap(kMax, {8, true, false}), -1);
  EXPECT_EQ(wrap(kMin, {8, true, false}), 0);
  EXPECT_EQ(wrap(kMax, {16, false, false}), 65535);
  EXPECT_EQ(wrap(128, {8, true, false}), -128);
  EXPECT_EQ(wrap(-129, {8, true, false}), 127);
}

RC_GTEST_PROP(Wrap, AddsUpInAnyOrder, (IntegerFormat format)) {
  // Modular wrap in between is harmless: the reason an int32 accumulator may wrap on its way.
  format.narrow = false;
  const std::int64_t a = *any_int64() >> 2;
  const std::int64_t b = *any_int64() >> 2;
  RC_ASSERT(wrap(wrap(a, format) + wrap(b, format), format) == wrap(a + b, format));
}

RC_GTEST_PROP(Saturate, IsTheNearestAllowedInteger, (IntegerFormat format)) {
  const std::int64_t x = *any_int64();
  const std::int64_t q = saturate(x, format.qmin(), format.qmax());
  RC_ASSERT(q >= format.qmin());
  RC_ASSERT(q <= format.qmax());
  if (x >= format.qmin() && x <= format.qmax()) {
    RC_ASSERT(q == x);
  } else {
    RC_ASSERT(q == (x < 0 ? format.qmin() : format.qmax()));
  }
}

TEST(Saturate, TheLargestIntegers) {
  EXPECT_EQ(saturate(kMax, -128, 127), 127);
  EXPECT_EQ(saturate(kMin, -128, 127), -128);
  EXPECT_EQ(saturate(kMin, 0, 255), 0);
  EXPECT_EQ(saturate(5, 5, 5), 5);
}

}  // namespace
}  // namespace halftone::numeric
