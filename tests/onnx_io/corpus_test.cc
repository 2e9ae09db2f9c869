// The inputs that fuzzing has kept: each reaches code that no other does.
#include <gtest/gtest.h>

#include "fuzz/import_once.h"
#include "halftone/base/file.h"

namespace halftone {
namespace {

TEST(Corpus, EveryInputIsRefusedOrSurvivesWritingAndReading) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(HALFTONE_CORPUS)) {
    SCOPED_TRACE(entry.path());
    const std::vector<std::byte> bytes = read_file(entry.path());
    EXPECT_NO_THROW(fuzz::import_once(bytes));
    ++count;
  }
  EXPECT_GT(count, 50);
}

}  // namespace
}  // namespace halftone
