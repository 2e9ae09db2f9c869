#include "halftone/base/files_in_use.h"

#include <gtest/gtest.h>

#include <optional>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/new_files.h"
#include "tests/base/message_of.h"
#include "tests/base/scratch.h"

namespace halftone {
namespace {

namespace fs = std::filesystem;

// A folder with a file `f`, and names for it.
class FilesInUseTest : public testing::Test {
 protected:
  FilesInUseTest() {
    write_file(scratch_ / "f", "text");
    fs::create_directory(scratch_ / "a");
    fs::create_symlink("f", scratch_ / "link");
    fs::create_symlink("../link", scratch_ / "a" / "far");
    fs::create_hard_link(scratch_ / "f", scratch_ / "twin");
    fs::create_symlink(".", scratch_ / "here");
    files_.emplace();
  }

  std::vector<fs::path> names_of_f() const {
    return {scratch_ / "f", scratch_ / "./f", scratch_ / "a/../f", scratch_ / "link", scratch_ / "a/far", scratch_ / "twin",
            scratch_ / "here/f"};
  }

  const Scratch scratch_;
  std::optional<FilesInUse> files_;
};

TEST_F(FilesInUseTest, WhatIsToBeWrittenCannotBeReadUnderAnyName) {
  for (const fs::path& written : names_of_f())
    for (const fs::path& read : names_of_f()) {
      files_.reset();
      files_.emplace();
      files_->will_write(written, ": elsewhere");
      EXPECT_EQ(message_of<UsageError>([&] { read_file(read); }),
                "[" + written.string() + "] is a file that is read, expected one of its own: elsewhere");
    }
}

TEST_F(FilesInUseTest, WhatWasReadCannotBeWrittenUnderAnyName) {
  read_file(scratch_ / "f");
  for (const fs::path& name : names_of_f()) {
    EXPECT_THROW(files_->will_write(name), UsageError);
    EXPECT_THROW(write_file(name, "new"), UsageError);
    NewFiles together;
    together.add(scratch_ / "other", "new");
    EXPECT_THROW(together.add(name, "new"), UsageError);
  }
  EXPECT_EQ(read_file(scratch_ / "f").size(), 4u);
  EXPECT_FALSE(fs::exists(scratch_ / "other"));
}

TEST_F(FilesInUseTest, AFileThatIsNotThereYetIsItsFolderAndName) {
  fs::create_symlink("new", scratch_ / "dangling");
  files_->will_write(scratch_ / "new");
  for (const char* name : {"new", "a/../new", "here/new", "dangling"})
    EXPECT_THROW(files_->will_write(scratch_ / name), UsageError) << name;
  files_->will_write(scratch_ / "a/new");
  files_->will_write(scratch_ / "NEW");
}

TEST_F(FilesInUseTest, OtherFilesAndThoseThatAreGoneOnWithAreWritten) {
  read_file(scratch_ / "f", kMaxFileBytes, Afterwards::rewritten);
  files_->will_write(scratch_ / "f");
  read_file(scratch_ / "link", kMaxFileBytes, Afterwards::rewritten);
  write_file(scratch_ / "f", "new");
  write_file(scratch_ / "g", "new");
  EXPECT_EQ(read_file(scratch_ / "g").size(), 3u);
}

// File systems give the number of a file that is gone to the next one.
TEST_F(FilesInUseTest, AFileOfItsOwnMayBeWrittenAgainAndAgain) {
  read_file(scratch_ / "f");
  for (const char* name : {"f", "twin", "link"}) fs::remove(scratch_ / name);
  for (int i = 0; i < 10; ++i) write_file(scratch_ / "table", "grows");
}

TEST_F(FilesInUseTest, WithoutOneNothingIsRefused) {
  files_.reset();
  read_file(scratch_ / "f");
  write_file(scratch_ / "f", "new");
  EXPECT_EQ(read_file(scratch_ / "f").size(), 3u);
}

TEST_F(FilesInUseTest, DevicesAreReadAndWritten) {
  read_file("/dev/null");
  write_file("/dev/null", "text");
}

}  // namespace
}  // namespace halftone
