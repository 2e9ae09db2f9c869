#include "halftone/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"
#include "tests/base/bytes.h"
#include "tests/base/message_of.h"
#include "tests/base/scratch.h"

namespace halftone {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

mode_t permissions(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

class ScopedUmask {
 public:
  explicit ScopedUmask(mode_t mask) : before_(::umask(mask)) {}
  ScopedUmask(const ScopedUmask&) = delete;
  ScopedUmask& operator=(const ScopedUmask&) = delete;
  ~ScopedUmask() { ::umask(before_); }

 private:
  mode_t before_;
};

// Files stop growing at `bytes`, as on a full disk.
class ScopedFileLimit {
 public:
  explicit ScopedFileLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ScopedFileLimit(const ScopedFileLimit&) = delete;
  ScopedFileLimit& operator=(const ScopedFileLimit&) = delete;
  ~ScopedFileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

 private:
  void (*signal_)(int);
  rlimit before_{};
};

RC_GTEST_PROP(File, ReadsBackWhatWasWritten, ()) {
  const auto text = *rc::gen::arbitrary<std::string>();
  RC_PRE(!text.starts_with("\x1f\x8b"));
  const Scratch scratch;
  write_file(scratch / "f", text);
  RC_ASSERT(read_file(scratch / "f") == bytes_of(text));
}

TEST(File, HoldsEveryByteAndMoreThanOneBlock) {
  const Scratch scratch;
  for (std::size_t size : {0UL, 1UL, (1UL << 20) - 1, 1UL << 20, (1UL << 20) + 1, 3UL << 20}) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7);
    write_file(scratch / "f", bytes);
    EXPECT_EQ(read_file(scratch / "f"), bytes) << size;
  }
}

TEST(ReadFile, AMissingFileIsASystemErrorThatNamesIt) {
  const Scratch scratch;
  const auto path = scratch / "missing";
  EXPECT_EQ(message_of<SystemError>([&] { read_file(path); }),
            "[" + path.string() + "] cannot open: No such file or directory");
  EXPECT_THROW(read_file(""), SystemError);
}

TEST(ReadFile, ADirectoryIsRefused) {
  const Scratch scratch;
  EXPECT_THAT(message_of<Error>([&] { read_file(scratch.path()); }), HasSubstr("directory"));
}

TEST(ReadFile, RefusesFilesAboveTheLimit) {
  const Scratch scratch;
  write_file(scratch / "f", std::string(100, 'x'));
  EXPECT_EQ(read_file(scratch / "f", 100).size(), 100U);
  EXPECT_THROW(read_file(scratch / "f", 99), InputError);
  EXPECT_THROW(read_file(scratch / "f", 0), InputError);
  write_file(scratch / "empty", std::string_view());
  EXPECT_THAT(read_file(scratch / "empty", 0), IsEmpty());
}

TEST(ReadFile, ADeviceWithoutEndStopsAtTheLimit) {
  EXPECT_THROW(read_file("/dev/zero", std::size_t{1} << 20), InputError);
  EXPECT_THAT(read_file("/dev/null"), IsEmpty());
}

TEST(ReadFile, UnpacksGzipWhateverItsName) {
  const Scratch scratch;
  write_file(scratch / "images.bin", gzip(bytes_of("packed")));
  EXPECT_EQ(read_file(scratch / "images.bin"), bytes_of("packed"));
  write_file(scratch / "plain.gz", "not packed");
  EXPECT_EQ(read_file(scratch / "plain.gz"), bytes_of("not packed"));
  write_file(scratch / "two", join(gzip(bytes_of("one, ")), gzip(bytes_of("two"))));
  EXPECT_EQ(read_file(scratch / "two"), bytes_of("one, two"));
}

TEST(ReadFile, ATruncatedGzipFileIsAnInputErrorThatNamesIt) {
  const Scratch scratch;
  const Bytes packed = gzip(bytes_of("a text of some length, a text of some length"));
  // Below two bytes nothing says gzip.
  for (std::size_t length : {std::size_t{2}, std::size_t{9}, std::size_t{10}, packed.size() / 2,
                             packed.size() - 8, packed.size() - 1}) {
    write_file(scratch / "f.gz", prefix(packed, length));
    EXPECT_THAT(message_of<InputError>([&] { read_file(scratch / "f.gz"); }),
                StartsWith("[" + (scratch / "f.gz").string() + "] "));
  }
  write_file(scratch / "f.gz", prefix(packed, 1));
  EXPECT_EQ(read_file(scratch / "f.gz").size(), 1U);
}

TEST(ReadFile, AGzipBombStopsAtTheLimit) {
  const Scratch scratch;
  write_file(scratch / "bomb", gzip(Bytes(std::size_t{4} << 20)));
  EXPECT_THROW(read_file(scratch / "bomb", std::size_t{1} << 20), InputError);
}

TEST(WriteFile, ReplacesTheWholeOldFile) {
  const Scratch scratch;
  write_file(scratch / "f", "a long old text");
  write_file(scratch / "f", "new");
  EXPECT_EQ(read_file(scratch / "f"), bytes_of("new"));
  EXPECT_THAT(scratch.names(), ElementsAre("f"));
}

TEST(WriteFile, WritesAnEmptyFile) {
  const Scratch scratch;
  write_file(scratch / "f", Bytes{});
  EXPECT_TRUE(std::filesystem::exists(scratch / "f"));
  EXPECT_EQ(std::filesystem::file_size(scratch / "f"), 0U);
}

TEST(WriteFile, AFullDeviceIsASystemError) {
  EXPECT_EQ(message_of<SystemError>([] { write_file("/dev/full", "text"); }),
            "[/dev/full] cannot write: No space left on device");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST(WriteFile, WritesDevicesStraight) {
  write_file("/dev/null", "text");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(WriteFile, AMissingFolderIsASystemErrorThatNamesTheFile) {
  const Scratch scratch;
  const auto path = scratch / "missing/f";
  EXPECT_EQ(message_of<SystemError>([&] { write_file(path, "text"); }),
            "[" + path.string() + "] cannot write: No such file or directory");
  EXPECT_THAT(scratch.names(), IsEmpty());
  EXPECT_THROW(write_file("", "text"), SystemError);
}

TEST(WriteFile, ADirectoryIsNotReplaced) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "d");
  EXPECT_THROW(write_file(scratch / "d", "text"), SystemError);
  EXPECT_THROW(write_file(scratch / "d/", "text"), SystemError);
  EXPECT_TRUE(std::filesystem::is_directory(scratch / "d"));
  EXPECT_THAT(scratch.names(), ElementsAre("d"));
}

TEST(WriteFile, AFileIsNotAFolder) {
  const Scratch scratch;
  write_file(scratch / "f", "text");
  EXPECT_THROW(write_file(scratch / "f/g", "text"), SystemError);
  EXPECT_EQ(read_file(scratch / "f"), bytes_of("text"));
}

TEST(WriteFile, AFailureLeavesNothingBehind) {
  const Scratch scratch;
  {
    const ScopedFileLimit full(1 << 20);
    EXPECT_THROW(write_file(scratch / "f", Bytes(2 << 20)), SystemError);
  }
  EXPECT_THAT(scratch.names(), IsEmpty());
}

TEST(WriteFile, AFailureKeepsTheWholeOldFile) {
  const Scratch scratch;
  write_file(scratch / "f", "old");
  {
    const ScopedFileLimit full(1 << 20);
    EXPECT_THROW(write_file(scratch / "f", Bytes(2 << 20)), SystemError);
  }
  EXPECT_EQ(read_file(scratch / "f"), bytes_of("old"));
  EXPECT_THAT(scratch.names(), ElementsAre("f"));
}

TEST(WriteFile, PermissionsFollowTheUmask) {
  const Scratch scratch;
  for (mode_t mask : {0000, 0002, 0022, 0027, 0077}) {
    const ScopedUmask scoped(mask);
    std::filesystem::remove(scratch / "f");
    write_file(scratch / "f", "text");
    EXPECT_EQ(permissions(scratch / "f"), 0666U & ~mask);
    EXPECT_EQ(::umask(mask), mask) << "the process's own umask is unchanged";
  }
}

TEST(WriteFile, WritersAtTheSameTimeKeepTheUmask) {
  // In memory, where there is one: writes then meet more often.
  const std::filesystem::path memory = "/dev/shm";
  const Scratch scratch(std::filesystem::is_directory(memory) ? memory
                                                              : std::filesystem::temp_directory_path());
  const ScopedUmask scoped(0077);
  parallel_for(15000, 4, [&](std::int64_t i) { write_file(scratch / std::to_string(i), "text"); });
  int open = 0;
  for (const std::string& name : scratch.names()) open += permissions(scratch / name) != 0600;
  EXPECT_EQ(open, 0) << "files that others may read";
  EXPECT_EQ(::umask(0077), 0077U);
}

TEST(WriteFile, AReaderSeesTheOldFileOrTheNewNeverAPart) {
  const Scratch scratch;
  const std::string a(100'000, 'a');
  const std::string b(70'001, 'b');
  write_file(scratch / "f", a);
  std::atomic<bool> done{false};
  int torn = 0;
  std::jthread reader([&] {
    while (!done) {
      const Bytes bytes = read_file(scratch / "f");
      torn += bytes != bytes_of(a) && bytes != bytes_of(b);
    }
  });
  for (int i = 0; i < 50; ++i) write_file(scratch / "f", i % 2 == 0 ? b : a);
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

TEST(WriteFile, WritesThroughASymbolicLinkAndKeepsIt) {
  const Scratch scratch;
  write_file(scratch / "target", "old");
  std::filesystem::create_symlink("target", scratch / "link");
  write_file(scratch / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "link"));
  EXPECT_EQ(read_file(scratch / "target"), bytes_of("new"));
  EXPECT_EQ(read_file(scratch / "link"), bytes_of("new"));
}

TEST(WriteFile, ADanglingLinkGetsItsTarget) {
  const Scratch scratch;
  std::filesystem::create_symlink("target", scratch / "link");
  write_file(scratch / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "link"));
  EXPECT_EQ(read_file(scratch / "target"), bytes_of("new"));
}

// NAME_MAX on Linux is 255.
TEST(WriteFile, TheLongestNameIsNotTooLong) {
  const Scratch scratch;
  const std::string name(255, 'n');
  EXPECT_NO_THROW(write_file(scratch / name, "text"));
  EXPECT_THROW(write_file(scratch / (name + "n"), "text"), SystemError);
}

}  // namespace
}  // namespace halftone
