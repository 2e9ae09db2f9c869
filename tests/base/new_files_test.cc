#include "halftone/base/new_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "tests/base/bytes.h"
#include "tests/base/scratch.h"

namespace halftone {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(NewFiles, AppearTogether) {
  const Scratch scratch;
  NewFiles files;
  files.add(scratch / "a", "one");
  files.add_first(scratch / "b", "two");
  auto streamed = std::make_unique<NewFile>(scratch / "c");
  streamed->write(bytes_of("th"));
  streamed->write(bytes_of("ree"));
  files.add(scratch / "c", std::move(streamed));
  for (const char* name : {"a", "b", "c"}) EXPECT_FALSE(std::filesystem::exists(scratch / name));
  files.publish();
  EXPECT_THAT(scratch.names(), UnorderedElementsAre("a", "b", "c"));
  EXPECT_EQ(read_file(scratch / "a"), bytes_of("one"));
  EXPECT_EQ(read_file(scratch / "b"), bytes_of("two"));
  EXPECT_EQ(read_file(scratch / "c"), bytes_of("three"));
}

TEST(NewFiles, WithoutPublishingNothingIsLeft) {
  const Scratch scratch;
  {
    NewFiles files;
    files.add(scratch / "a", "one");
    EXPECT_THROW(files.add(scratch / "no" / "b", "two"), SystemError);
  }
  EXPECT_THAT(scratch.names(), IsEmpty());
}

TEST(NewFiles, ADeviceThatIsFullLeavesTheOthersAsTheyWere) {
  const Scratch scratch;
  write_file(scratch / "a", "old");
  {
    NewFiles files;
    files.add(scratch / "a", "new");
    files.add("/dev/full", "text");
    EXPECT_THROW(files.publish(), SystemError);
  }
  EXPECT_EQ(read_file(scratch / "a"), bytes_of("old"));
  EXPECT_THAT(scratch.names(), ElementsAre("a"));
}

TEST(NewFiles, RefuseAFileThatIsAmongThemAlready) {
  const Scratch scratch;
  NewFiles files;
  files.add(scratch / "a", "one");
  EXPECT_THROW(files.add(scratch / "a", "two"), UsageError);
  EXPECT_THROW(files.add(scratch / "." / "a", "two"), UsageError);
  files.add(scratch / "b", "two");
  files.publish();
  EXPECT_EQ(read_file(scratch / "a"), bytes_of("one"));
}

// A folder in the place of one shows which names were given before.
TEST(NewFiles, TakeTheirNamesInOrder) {
  for (const bool first : {false, true}) {
    const Scratch scratch;
    std::filesystem::create_directory(scratch / "d");
    NewFiles files;
    auto blocked = std::make_unique<NewFile>(scratch / "d");
    files.add(scratch / "d", std::move(blocked));
    if (first)
      files.add_first(scratch / "a", "text");
    else
      files.add(scratch / "a", "text");
    EXPECT_THROW(files.publish(), SystemError);
    EXPECT_EQ(std::filesystem::exists(scratch / "a"), first);
  }
}

TEST(NewFileDeathTest, AProcessThatEndsLeavesNothingAndPublishesNothing) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Scratch scratch;
  EXPECT_EXIT(
      {
        NewFiles files;
        files.add(scratch / "a", "text");
        NewFile open(scratch / "b");
        abandon_new_files();
        const bool empty = scratch.names().empty();
        ::_exit(empty ? 7 : 8);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace halftone
