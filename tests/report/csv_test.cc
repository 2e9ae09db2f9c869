// Tables as CSV with their settings.
#include "halftone/report/csv.h"

#include <gtest/gtest.h>

#include "halftone/base/error.h"

namespace halftone::report {
namespace {

const Csv kTable{.title = "a table",
                 .settings = {{"data", "digits, 10 samples: all"}, {"overflow", "wrap"}},
                 .columns = {"bits", "correct"},
                 .rows = {{"w8", "9"}, {"w4", ""}}};
constexpr const char* kText =
    "# a table\n# data: digits, 10 samples: all\n# overflow: wrap\nbits,correct\nw8,9\nw4,\n";

TEST(Csv, IsPlainTextUnderItsSettings) { EXPECT_EQ(to_text(kTable), kText); }

TEST(Csv, ReadsBackWhatItWrote) {
  const Csv back = parse_csv(kText, "t.csv");
  EXPECT_EQ(back.title, kTable.title);
  EXPECT_EQ(back.settings, kTable.settings);
  EXPECT_EQ(back.columns, kTable.columns);
  EXPECT_EQ(back.rows, kTable.rows);
}

TEST(Csv, SettingsStayOneLine) {
  Csv odd = kTable;
  odd.settings[0].second = "a\nb\r# c";
  EXPECT_EQ(parse_csv(to_text(odd), "").settings[0].second, "a b # c");
}

TEST(Csv, CellsArePlainWords) {
  for (const char* cell : {"a,b", "a\"b", "a\nb", "#", " a"}) {
    Csv odd = kTable;
    odd.rows[0][0] = cell;
    EXPECT_THROW(to_text(odd), UsageError) << cell;
  }
  Csv short_row = kTable;
  short_row.rows[0].pop_back();
  EXPECT_THROW(to_text(short_row), UsageError);
}

// Cut anywhere but behind a whole row, the text is refused; cut there, it is a shorter table.
TEST(Csv, ACutTextIsRefused) {
  const std::string text = kText;
  const std::size_t columns_end = text.find("correct\n") + 8;
  for (std::size_t n = 0; n < text.size(); ++n) {
    if (n >= columns_end && text[n - 1] == '\n')
      EXPECT_NO_THROW(parse_csv(text.substr(0, n), "t.csv")) << n;
    else
      EXPECT_THROW(parse_csv(text.substr(0, n), "t.csv"), InputError) << n;
  }
}

TEST(Csv, OtherTextIsRefused) {
  for (const char* text :
       {"", "bits,correct\n", "# t\n#x\na\n", "# t\n# no colon\na\n", "# t\na,b\n1\n", "# t\na\n1,2\n"})
    EXPECT_THROW(parse_csv(text, "t.csv"), InputError) << text;
}

}  // namespace
}  // namespace halftone::report
