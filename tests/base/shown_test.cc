#include "halftone/base/shown.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace halftone {
namespace {

TEST(Shown, EscapesWhatHasNoShape) {
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(shown("conv1/weight:0 'é' ½ ≤ 日本 😀"), "conv1/weight:0 'é' ½ ≤ 日本 😀");
  EXPECT_EQ(shown("a\nb\tc\r\x1b[31m\x7f"), "a\\x0ab\\x09c\\x0d\\x1b[31m\\x7f");
  EXPECT_EQ(shown(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(shown("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"), "\\u0080\\u009b\\u009f\xc2\xa0");  // C1, and a space that is not
  EXPECT_EQ(shown("\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8e\xd8\x9c"), "\\u202e\\u2066\\u200e\\u061c");
  EXPECT_EQ(shown("\xe2\x80\xa8\xe2\x80\xa9"), "\\u2028\\u2029");
  EXPECT_EQ(shown("\xef\xbb\xbf\xf3\xa0\x80\xa1"), "\\ufeff\\U000e0021");
}

TEST(Shown, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(shown("a\xff"), "a\\xff");
  EXPECT_EQ(shown("\xc3("), "\\xc3(");
  EXPECT_EQ(shown("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(shown("\xc0\xaf"), "\\xc0\\xaf");           // overlong
  EXPECT_EQ(shown("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(shown("\xe2\x80"), "\\xe2\\x80");
}

TEST(Shown, LeavesOutTheMiddleOfALongText) {
  EXPECT_EQ(shown("0123456789", 10), "0123456789");
  EXPECT_EQ(shown("0123456789a", 10), "012…89a");
  EXPECT_EQ(shown("ééééééé", 11), "éé…éé");
  EXPECT_EQ(shown("\n\n\n\n", 11), "\\x0a…\\x0a");
  EXPECT_EQ(shown("begin" + std::string(10'000'000, 'x') + "end", 13), "begin…xxend");
}

std::string any_text() {
  std::string text;
  for (int i = *rc::gen::inRange(0, 60); i > 0; --i)
    text += *rc::gen::element<std::string>("a", "\\", "\n", std::string(1, '\0'), "\x1b", "\x7f", "\x80", "\xff", "é", "\xc2\x9b", "\xe2\x80\xae",
                                           "\xe2\x80", "😀", "\xef\xbf\xbf", "…");
  return text;
}

RC_GTEST_PROP(Shown, GivesPlainTextOfNoMoreThanAskedForAndTwiceTheSame, ()) {
  const std::string text = any_text();
  const auto most = static_cast<std::size_t>(*rc::gen::inRange(3, 200));
  const std::string once = shown(text, most);
  RC_ASSERT(once.size() <= most);
  for (std::string_view rest = once; !rest.empty(); rest.remove_prefix(first_character(rest).bytes))
    RC_ASSERT(first_character(rest).plain);
  RC_ASSERT(shown(once, most) == once);
  if (const std::string all = shown(text, kAll); all.size() <= most) RC_ASSERT(once == all);
}

}  // namespace
}  // namespace halftone
