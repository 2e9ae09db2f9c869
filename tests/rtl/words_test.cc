// Words of streams: what is put at a place is what is got there, and nothing beside it changes.
#include "halftone/rtl/words.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace halftone::rtl {
namespace {

RC_GTEST_PROP(Words, HoldWhatIsPut, ()) {
  const int width = *rc::gen::inRange(1, 600);
  const int bits = *rc::gen::inRange(1, std::min(width, 64) + 1);
  const int at = *rc::gen::inRange(0, width - bits + 1);
  const auto value = *rc::gen::arbitrary<std::int64_t>();
  Words words(width);
  const std::size_t before = words.add(), word = words.add(), behind = words.add();
  words.put(word, at, bits, value);
  const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  RC_ASSERT(words.get(word, at, bits) == (static_cast<std::uint64_t>(value) & mask));
  for (int i = 0; i < width; ++i) {
    if (i < at || i >= at + bits) RC_ASSERT(words.get(word, i, 1) == 0U);
    RC_ASSERT(words.get(before, i, 1) == 0U);
    RC_ASSERT(words.get(behind, i, 1) == 0U);
  }
  words.put(word, at, bits, 0);
  RC_ASSERT(words.get(word, at, bits) == 0U);
}

TEST(Words, BeginAtWholeBytes) {
  Words words(9);
  EXPECT_EQ(words.bytes_a_word(), 2U);
  words.put(words.add(), 0, 9, -1);
  words.put(words.add(), 8, 1, 1);
  EXPECT_EQ(words.bytes(), (std::vector<std::uint8_t>{0xff, 0x01, 0x00, 0x01}));
  EXPECT_EQ(words.count(), 2U);
}

RC_GTEST_PROP(Words, SignsAreExtended, ()) {
  const int bits = *rc::gen::inRange(1, 65);
  const auto value = *rc::gen::arbitrary<std::int64_t>();
  const std::int64_t extended = sign_extended(static_cast<std::uint64_t>(value), bits);
  const std::int64_t least = bits == 64 ? std::numeric_limits<std::int64_t>::min() : -(std::int64_t{1} << (bits - 1));
  RC_ASSERT(extended >= least && extended <= -1 - least);
  RC_ASSERT(((static_cast<std::uint64_t>(extended) ^ static_cast<std::uint64_t>(value)) << (64 - bits)) == 0U);
}

}  // namespace
}  // namespace halftone::rtl
