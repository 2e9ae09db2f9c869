#include "halftone/base/toml_table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace halftone {
namespace {

std::string again(const std::string& text) {
  const toml::table table = parse_toml("before = 1\nx = " + toml_quoted(text) + " # a comment\nafter = 2\n", "f");
  EXPECT_EQ(table.size(), 3U);
  return table["x"].value<std::string>().value();
}

TEST(TomlText, OrdinaryOnesAreLiteral) {
  EXPECT_EQ(toml_quoted("conv1"), "'conv1'");
  EXPECT_EQ(toml_quoted(""), "''");
  EXPECT_EQ(toml_quoted("a \"b\" \\ \t é"), "'a \"b\" \\ \t é'");
  EXPECT_EQ(toml_quoted("it's \"so\" \\"), "\"it's \\\"so\\\" \\\\\"");
  EXPECT_EQ(toml_quoted("\n'''"), "\"\\u000A'''\"");
  EXPECT_EQ(toml_quoted("\xe2\x80\xae\xf3\xa0\x80\xa1"), "\"\\u202E\\U000E0021\"");
}

TEST(TomlText, QuotesAtItsEndHideNoDots) {
  std::string dots;
  for (int i = 0; i < 20000; ++i) dots += ".d";
  for (const char* text : {"\"\"\"b\"\"\"", "\"\"\"b\"\"\"\"", "\"\"\"b\"\"\"\"\"", "'''b''''", "'''b'''''"})
    EXPECT_THROW(parse_toml(std::string("x = { a = ") + text + ", c" + dots + " = 1 }\n", "f"), InputError) << text;
}

RC_GTEST_PROP(TomlText, AnyTextIsReadBack, ()) {
  std::string text;
  for (int i = *rc::gen::inRange(0, 20); i > 0; --i)
    text += *rc::gen::element<std::string>("a", ".", " ", "'", "'''", "\"", "\"\"\"", "\\", "\\u0041", "\n", "\r\n", "\t", std::string(1, '\0'), "\x01",
                                           "\x1b", "\x7f", "#", "[", "]", "=", "é", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xae", "\xef\xbb\xbf", "\xef\xbf\xbf", "😀");
  RC_ASSERT(again(text) == text);
}

RC_GTEST_PROP(TomlText, AnyBytesAreReadBackOrRefused, (const std::string& bytes)) {
  if (is_utf8(bytes))
    RC_ASSERT(again(bytes) == bytes);
  else
    RC_ASSERT_THROWS_AS(toml_quoted(bytes), UnsupportedError);
}

TEST(TomlText, DotsOfTextsAndCommentsMakeNoKeysDeep) {
  const std::string dots(20000, '.');
  EXPECT_EQ(again(dots), dots);
  EXPECT_EQ(again("'" + dots), "'" + dots);
  EXPECT_EQ(again("\\" + dots + "\"'"), "\\" + dots + "\"'");
  EXPECT_NO_THROW(parse_toml("a = '''\n" + dots + "\n'" + dots + "''' #" + dots + "\n#" + dots + "\nb = \"\"\"" + dots + "\\\"\"\"\"\n", "f"));
  std::string key = "a";
  for (int i = 0; i < 20000; ++i) key += ".a";
  for (const std::string& text : {key + " = 1\n", "x = \"\\\"\"\n" + key + " = 1\n", "x = 'y' # '\n" + key + " = 1\n", "['b'." + key + "]\n"})
    EXPECT_THROW(parse_toml(text, "f"), InputError) << text.substr(0, 20);
}

}  // namespace
}  // namespace halftone
