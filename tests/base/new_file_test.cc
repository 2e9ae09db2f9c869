#include "halftone/base/new_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "tests/base/bytes.h"
#include "tests/base/scratch.h"

namespace halftone {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(NewFile, IsThereOncePublishedInSeveralPieces) {
  const Scratch scratch;
  {
    NewFile file(scratch / "f");
    file.write(bytes_of("one, "));
    file.write(bytes_of("two"));
    EXPECT_FALSE(std::filesystem::exists(scratch / "f"));
    file.publish();
  }
  EXPECT_EQ(read_file(scratch / "f"), bytes_of("one, two"));
  EXPECT_THAT(scratch.names(), ElementsAre("f"));
}

TEST(NewFile, WithoutPublishingNothingIsLeftAndTheOldStays) {
  const Scratch scratch;
  {
    NewFile file(scratch / "f");
    file.write(bytes_of("text"));
    file.finish();
  }
  EXPECT_THAT(scratch.names(), IsEmpty());
  write_file(scratch / "f", "old");
  { NewFile(scratch / "f").write(bytes_of("new")); }
  EXPECT_EQ(read_file(scratch / "f"), bytes_of("old"));
  EXPECT_THAT(scratch.names(), ElementsAre("f"));
}

TEST(NewFile, ADirectoryInItsPlaceIsAnErrorAndStays) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "d");
  {
    NewFile file(scratch / "d");
    file.write(bytes_of("text"));
    EXPECT_THROW(file.publish(), SystemError);
  }
  EXPECT_THAT(scratch.names(), ElementsAre("d"));
}

}  // namespace
}  // namespace halftone
