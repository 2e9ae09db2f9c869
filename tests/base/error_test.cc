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
  EXPECT_STREQ(Error("a\nb", "c\td\r\x1b[31m\x7f").what(), "[a?b] c?d??[31m?");
  EXPECT_STREQ(Error("é", "½ ≤ α").what(), "[é] ½ ≤ α");
  EXPECT_STREQ(Error(std::string_view("a\0b", 3), "c").what(), "[a?b] c");
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
