// Integers as hardware reads them: bits, words, and arrays in C.
#include "halftone/testbench/integer_array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/testbench/c_header.h"

namespace halftone::testbench {
namespace {

using testing::HasSubstr;

int bits_of(std::vector<std::int64_t> values) { return least_bits(values); }

TEST(IntegerArray, TakesAsFewBitsAsHoldAll) {
  EXPECT_EQ(bits_of({}), 1);
  EXPECT_EQ(bits_of({0}), 1);
  EXPECT_EQ(bits_of({-1}), 1);
  EXPECT_EQ(bits_of({1}), 2);
  EXPECT_EQ(bits_of({-2, 1}), 2);
  EXPECT_EQ(bits_of({127, -128}), 8);
  EXPECT_EQ(bits_of({128}), 9);
  EXPECT_EQ(bits_of({-129}), 9);
  EXPECT_EQ(bits_of({INT64_MAX, INT64_MIN}), 64);
}

TEST(IntegerArray, WordsAreTwosComplementOfTheirBits) {
  EXPECT_EQ(mem_text({{2, 2}, {-1, 7, -8, 0}, 4, true}, "a"), "// a: shape 2x2, 4 bits, two's complement\nf\n7\n8\n0\n");
  EXPECT_EQ(mem_text({{2}, {-1, -16}, 5, true}, "a"), "// a: shape 2, 5 bits, two's complement\n1f\n10\n");
  EXPECT_EQ(mem_text({{}, {1}, 1, false}, "a"), "// a: shape 1, 1 bits, unsigned\n1\n");
  EXPECT_EQ(mem_text({{1}, {INT64_MIN}, 64, true}, "a"), "// a: shape 1, 64 bits, two's complement\n8000000000000000\n");
}

TEST(IntegerArray, NumPyHasTheNarrowestType) {
  for (const auto& [bits, is_signed, dtype] :
       {std::tuple{1, true, DType::int8}, {8, false, DType::uint8}, {9, true, DType::int16}, {16, false, DType::uint16}, {17, true, DType::int32},
        {32, false, DType::uint32}, {33, true, DType::int64}})
    EXPECT_EQ(as_tensor({{1}, {1}, bits, is_signed}).dtype(), dtype) << bits;
}

TEST(CHeader, HoldsWhatIsSmallEnough) {
  CHeader header;
  EXPECT_TRUE(header.add("a_weight", {{2}, {-1, 1}, 4, true}));
  EXPECT_TRUE(header.alias("b_input", "a_weight"));
  EXPECT_FALSE(header.alias("c_input", "nobody"));
  EXPECT_FALSE(header.add("large", {{kMostInHeader + 1}, std::vector<std::int64_t>(kMostInHeader + 1), 8, true}));
  header.add("a_zero_point", -3);
  const std::string text = header.text(2);
  for (const char* part : {"static const int8_t a_weight[2] = {\n-1,1,\n};", "#define b_input a_weight", "a_zero_point = -3;", "SAMPLES 2",
                           "more than 131072 integers"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, testing::Not(HasSubstr("large")));
}

}  // namespace
}  // namespace halftone::testbench
