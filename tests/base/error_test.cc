#include "halftone/base/error.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace halftone {
namespace {

TEST(Error, ReadsWhereInBracketsThenWhat) {
  EXPECT_STREQ(Error("conv1", "bits, got 3, expected 8").what(), "[conv1] bits, got 3, expected 8");
  EXPECT_STREQ(UsageError("a", "b").what(), "[a] b");
  EXPECT_STREQ(InputError("a", "b").what(), "[a] b");
  EXPECT_STREQ(UnsupportedError("a", "b").what(), "[a] b");
  EXPECT_STREQ(SystemError("a", "b").what(), "[a] b");
  EXPECT_STREQ(Error("", "").what(), "[] ");
}

TEST(Error, ControlCharactersDoNotBreakTheLine) {
  EXPECT_STREQ(Error("a\nb", "c\td\r\x1b[31m\x7f").what(), "[a\\x0ab] c\\x09d\\x0d\\x1b[31m\\x7f");
  EXPECT_STREQ(Error("é", "½ ≤ α").what(), "[é] ½ ≤ α");
  EXPECT_STREQ(Error(std::string_view("a\0b", 3), "c").what(), "[a\\x00b] c");
}

TEST(Error, ALongNameDoesNotMakeALongMessage) {
  const std::string name(3'000'000, 'n');
  for (const std::string& text : {std::string(Error(name, "got 3, expected 8").what()),
                                  std::string(Error("conv", "no '" + name + "', got 3, expected 8").what())}) {
    EXPECT_LE(text.size(), 2000U);
    EXPECT_TRUE(text.ends_with("got 3, expected 8")) << text;
    EXPECT_NE(text.find("n…n"), std::string::npos) << text;
  }
}

TEST(Error, AnUnsupportedInputIsAnInputErrorAndTheOthersAreApart) {
  EXPECT_TRUE((std::is_base_of_v<InputError, UnsupportedError>));
  EXPECT_TRUE((std::is_base_of_v<Error, UsageError>));
  EXPECT_TRUE((std::is_base_of_v<Error, SystemError>));
  EXPECT_FALSE((std::is_base_of_v<InputError, UsageError>));
  EXPECT_FALSE((std::is_base_of_v<InputError, SystemError>));
  EXPECT_FALSE((std::is_base_of_v<std::logic_error, Error>));
}

}  // namespace
}  // namespace halftone
