#include "halftone/base/file_reader.h"

#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "tests/base/bytes.h"
#include "tests/base/scratch.h"

namespace halftone {
namespace {

Bytes counting(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * i >> 4);
  return bytes;
}

Bytes all_of(FileReader& file) {
  Bytes all;
  for (auto block = file.next(); !block.empty(); block = file.next())
    all.insert(all.end(), block.begin(), block.end());
  return all;
}

TEST(FileReader, BlocksTogetherAreTheFile) {
  const Scratch scratch;
  constexpr std::size_t kBlock = std::size_t{1} << 20;
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, kBlock - 1, kBlock, kBlock + 1, 3 * kBlock + 7}) {
    const Bytes content = counting(size);
    write_file(scratch / "plain", content);
    FileReader plain(scratch / "plain");
    EXPECT_EQ(plain.size(), size);
    EXPECT_EQ(all_of(plain), content) << size;
    EXPECT_TRUE(plain.next().empty());
    write_file(scratch / "packed", join(gzip(content), gzip(content)));
    FileReader packed(scratch / "packed");
    EXPECT_FALSE(packed.size());
    EXPECT_EQ(all_of(packed), join(content, content)) << size;
    EXPECT_TRUE(packed.next().empty());
  }
}

TEST(FileReader, APackedFileThatEndsEarlyIsRefusedAtItsEnd) {
  const Scratch scratch;
  const Bytes packed = gzip(counting(3 << 20));
  write_file(scratch / "f", prefix(packed, packed.size() - 1));
  FileReader file(scratch / "f");
  EXPECT_FALSE(file.next().empty());
  EXPECT_THROW(all_of(file), InputError);
}

TEST(FileReader, TheLimitHoldsForPlainPackedAndEndless) {
  const Scratch scratch;
  write_file(scratch / "plain", Bytes(100));
  write_file(scratch / "packed", gzip(Bytes(2000)));
  EXPECT_NO_THROW(FileReader(scratch / "plain", 100));
  EXPECT_THROW(FileReader(scratch / "plain", 99), InputError);
  FileReader packed(scratch / "packed", 1999);
  EXPECT_THROW(all_of(packed), InputError);
  FileReader endless("/dev/zero", std::size_t{1} << 22);
  EXPECT_FALSE(endless.size());
  EXPECT_THROW(all_of(endless), InputError);
}

}  // namespace
}  // namespace halftone
