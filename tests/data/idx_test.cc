#include "halftone/data/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/bytes.h"
#include "tests/data/arbitrary_tensor.h"
#include "tests/data/damage.h"
#include "tests/data/scratch.h"

namespace halftone::data {
namespace {

Tensor images() {
  return Tensor::from<std::uint8_t>(
      {2, 2, 3}, std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255});
}

Tensor parse(std::span<const std::byte> bytes) { return parse_idx(bytes, "test"); }

std::vector<std::byte> header(std::uint32_t magic, std::initializer_list<std::uint32_t> dims) {
  std::vector<std::byte> bytes;
  append_big(bytes, magic);
  for (std::uint32_t dim : dims) append_big(bytes, dim);
  return bytes;
}

TEST(Idx, LaysOutAsMnistDoes) {
  const auto bytes = encode_idx(images());
  ASSERT_EQ(bytes.size(), 16u + 12u);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.begin() + 16, header(2051, {2, 2, 3}).begin()));
  EXPECT_EQ(bytes.back(), std::byte{255});
}

TEST(Idx, ReadsFilesPlainAndGzipped) {
  const Scratch scratch;
  write_idx(scratch / "plain", images());
  EXPECT_EQ(read_idx(scratch / "plain"), images());
  ASSERT_EQ(std::system(
                ("gzip -c " + (scratch / "plain").string() + " > " + (scratch / "packed").string()).c_str()),
            0);
  EXPECT_EQ(read_idx(scratch / "packed"), images());
}

// Packed files that begin as no IDX file does, or hold far more than they say, are not unpacked to their end.
TEST(Idx, APackedFileIsJudgedByItsHeader) {
  const Scratch scratch;
  const auto pack = [&](const std::vector<std::byte>& start) {
    write_file(scratch / "plain", start);
    const std::string plain = (scratch / "plain").string();
    ASSERT_EQ(std::system(("{ cat " + plain + "; head -c 30000000 /dev/zero; } | gzip -c > " + plain + ".gz").c_str()), 0);
  };
  pack({});
  EXPECT_THAT(message_of<InputError>([&] { read_idx(scratch / "plain.gz"); }), testing::HasSubstr("magic number of an IDX file, got 0"));
  pack(header(2051, {3, 2, 2}));
  EXPECT_EQ(read_idx_shape(scratch / "plain.gz"), (Shape{3, 2, 2}));
  EXPECT_THAT(message_of<InputError>([&] { read_idx(scratch / "plain.gz"); }), testing::HasSubstr("holds more than the 28 bytes"));
}

TEST(Idx, MissingFileIsASystemError) { EXPECT_THROW(read_idx("no/such/file"), SystemError); }

TEST(Idx, RefusesOtherMagic) {
  EXPECT_EQ(message_of<InputError>([] {
              parse(header(2052, {1, 1, 1, 1}));
            }),
            "[test] magic number of an IDX file, got 2052, expected 2051 (images) or 2049 (labels)");
}

TEST(Idx, RefusesCountsThatOverflow) {
  EXPECT_THROW(parse(header(2051, {0xffffffff, 0xffffffff, 0xffffffff})), InputError);
  EXPECT_THROW(parse(header(2051, {0x80000000, 0x80000000, 4})), InputError);
  EXPECT_THROW(parse(header(2049, {0xffffffff})), InputError);
}

TEST(Idx, RefusesEmptyImages) {
  EXPECT_THROW(parse(header(2051, {0xffffffff, 0, 28})), InputError);
  EXPECT_THROW(parse(header(2051, {1, 28, 0})), InputError);
}

TEST(Idx, NoImagesAndNoLabelsAreFine) {
  EXPECT_EQ(parse(header(2051, {0, 28, 28})).shape(), (Shape{0, 28, 28}));
  EXPECT_EQ(parse(header(2049, {0})).shape(), (Shape{0}));
}

TEST(Idx, RefusesTrailingBytes) {
  auto bytes = encode_idx(images());
  bytes.push_back(std::byte{0});
  EXPECT_THROW(parse(bytes), InputError);
}

TEST(Idx, RefusesTruncationAndSurvivesDamage) {
  const auto bytes = encode_idx(images());
  expect_refuses_truncations(bytes, parse);
  expect_survives_changes(bytes, parse);
}

TEST(Idx, WritesOnlyBytesOfRank1And3) {
  EXPECT_THROW(encode_idx(Tensor(DType::float32, {2, 2, 2})), UsageError);
  EXPECT_THROW(encode_idx(Tensor(DType::uint8, {2, 2})), UsageError);
  EXPECT_THROW(encode_idx(Tensor(DType::uint8, {2, 0, 2})), UsageError);
  EXPECT_THROW(encode_idx(Tensor(DType::uint8, {})), UsageError);
}

RC_GTEST_PROP(IdxProperty, RoundTrips, (const std::vector<std::uint8_t>& labels)) {
  const auto height = *rc::gen::inRange<std::int64_t>(1, 6);
  const auto width = *rc::gen::inRange<std::int64_t>(1, 6);
  const auto size = static_cast<std::int64_t>(labels.size());
  const Tensor column = Tensor::from({size}, labels);
  RC_ASSERT(parse(encode_idx(column)) == column);
  std::vector<std::uint8_t> pixels;
  for (std::uint8_t label : labels)
    pixels.insert(pixels.end(), static_cast<std::size_t>(height * width), label);
  const Tensor cube = Tensor::from({size, height, width}, pixels);
  RC_ASSERT(parse(encode_idx(cube)) == cube);
}

}  // namespace
}  // namespace halftone::data
