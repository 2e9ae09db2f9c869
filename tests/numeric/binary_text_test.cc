#include "halftone/numeric/binary_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "halftone/numeric/format.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

// Two's complement with a point, read back: the first digit weighs negatively.
double value_of(const std::string& text) {
  const auto point = text.find('.');
  std::string digits = text;
  if (point != std::string::npos) digits.erase(point, 1);
  double value = 0;
  for (std::size_t i = 0; i < digits.size(); ++i)
    value = 2 * value + (digits[i] == '1' ? (i == 0 ? -1 : 1) : 0);
  return point == std::string::npos ? value : std::ldexp(value, -static_cast<int>(digits.size() - point));
}

RC_GTEST_PROP(BinaryText, ReadsBackAsTheFixedPointValue, ()) {
  const auto bits = *rc::gen::inRange(1, 17);
  const auto fl = *rc::gen::inRange(-8, 25);
  const std::int64_t q = wrap(*any_int64(), {bits, true, false});
  const std::string text = binary_text(q, bits, fl);
  RC_ASSERT(value_of(text) == std::ldexp(static_cast<double>(q), -fl));
  RC_ASSERT((text.find('.') != std::string::npos) == (fl > 0));
}

TEST(BinaryText, KeepsTheLowBits) {
  EXPECT_EQ(binary_text(0x133, 8, 0), "00110011");
  EXPECT_EQ(binary_text(-1, 3, 0), "111");
  EXPECT_EQ(binary_text(std::numeric_limits<std::int64_t>::min(), 64, 0), "1" + std::string(63, '0'));
}

TEST(BinaryText, APointOutsideTheDigitsIsReachedBySignOrZeros) {
  EXPECT_EQ(binary_text(127, 8, 7), "0.1111111");
  EXPECT_EQ(binary_text(-128, 8, 7), "1.0000000");
  EXPECT_EQ(binary_text(5, 4, 4), "0.0101");
  EXPECT_EQ(binary_text(-3, 4, 4), "1.1101");
  EXPECT_EQ(binary_text(-3, 4, 6), "1.111101");
  EXPECT_EQ(binary_text(5, 4, 6), "0.000101");
  EXPECT_EQ(binary_text(5, 4, -2), "010100");
  EXPECT_EQ(binary_text(0, 1, 1), "0.0");
  EXPECT_EQ(binary_text(-1, 1, 0), "1");
}

TEST(HexText, HasTheDigitsThatTheBitsFill) {
  EXPECT_EQ(hex_text(127, 8), "0x7f");
  EXPECT_EQ(hex_text(-1, 8), "0xff");
  EXPECT_EQ(hex_text(-128, 8), "0x80");
  EXPECT_EQ(hex_text(1, 1), "0x1");
  EXPECT_EQ(hex_text(-1, 3), "0x7");
  EXPECT_EQ(hex_text(-1, 5), "0x1f");
  EXPECT_EQ(hex_text(10, 12), "0x00a");
  EXPECT_EQ(hex_text(-1, 64), "0xffffffffffffffff");
}

RC_GTEST_PROP(HexText, ReadsBackAsTheLowBits, ()) {
  const auto bits = *rc::gen::inRange(1, 65);
  const std::int64_t q = *any_int64();
  const std::string text = hex_text(q, bits);
  RC_ASSERT(text.size() == 2 + static_cast<std::size_t>((bits + 3) / 4));
  const auto low =
      bits == 64 ? static_cast<std::uint64_t>(q) : static_cast<std::uint64_t>(q) & ((1ULL << bits) - 1);
  RC_ASSERT(std::stoull(text, nullptr, 16) == low);
}

}  // namespace
}  // namespace halftone::numeric
