#include "halftone/data/npz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <set>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/npy.h"
#include "halftone/data/zip.h"
#include "tests/data/arbitrary_tensor.h"
#include "tests/data/damage.h"
#include "tests/data/numpy_files.h"
#include "tests/data/scratch.h"

namespace halftone::data {
namespace {

NamedTensors parse(std::span<const std::byte> bytes) { return parse_npz(bytes, "test"); }

Tensor bytes_tensor(std::initializer_list<std::uint8_t> values) {
  return Tensor::from<std::uint8_t>({static_cast<std::int64_t>(values.size())},
                                    std::vector<std::uint8_t>(values));
}

NamedTensors two_entries() { return {{"x", bytes_tensor({1, 2, 3})}, {"y", bytes_tensor({4})}}; }

// Where the n-th record with this signature starts.
std::size_t find_record(const std::vector<std::byte>& bytes, std::string_view signature, int n) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::size_t at = text.find(signature);
  for (; n > 0; --n) at = text.find(signature, at + 1);
  return at;
}
constexpr std::string_view kLocal("PK\3\4", 4);
constexpr std::string_view kCentral("PK\1\2", 4);
constexpr std::string_view kEnd("PK\5\6", 4);

std::vector<std::byte> patched(std::string_view signature, int n, std::size_t offset,
                               std::initializer_list<int> values) {
  auto bytes = encode_npz(two_entries());
  std::size_t at = find_record(bytes, signature, n) + offset;
  for (int value : values) bytes[at++] = static_cast<std::byte>(value);
  return bytes;
}

TEST(Npz, ReadsWhatNumpyCompressed) {
  const NamedTensors entries = parse(from_hex(kCompressedNpz));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].first, "a");
  EXPECT_EQ(entries[0].second.shape(), (Shape{2, 3}));
  EXPECT_THAT(entries[0].second.data<float>(), testing::ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(entries[1].first, "b");
  EXPECT_THAT(entries[1].second.data<std::int64_t>(), testing::ElementsAre(7));
}

TEST(Npz, ReadsZip64) {
  const NamedTensors entries = parse(from_hex(kZip64Npz));
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].second, bytes_tensor({1, 2, 3}));
}

TEST(Npz, KeepsTheOrderGivenAndWritesFiles) {
  const Scratch scratch;
  const NamedTensors entries = {
      {"z", bytes_tensor({1})}, {"a", bytes_tensor({2, 3})}, {"dir/\xc3\xa9", bytes_tensor({})}};
  write_npz(scratch / "f.npz", entries);
  EXPECT_EQ(read_npz(scratch / "f.npz"), entries);
  EXPECT_THROW(read_npz(scratch / "g.npz"), SystemError);
}

TEST(Npz, ArraysAreKnownByTheirHeaders) {
  const Scratch scratch;
  for (std::string_view hex : {kCompressedNpz, kZip64Npz}) {
    write_file(scratch / "f.npz", from_hex(hex));
    const NamedTensors all = read_npz(scratch / "f.npz");
    const std::vector<StoredArray> stored = open_npz(scratch / "f.npz");
    ASSERT_EQ(stored.size(), all.size());
    for (std::size_t i = stored.size(); i-- > 0;) {
      EXPECT_EQ(stored[i].name, all[i].first);
      EXPECT_EQ(stored[i].dtype, all[i].second.dtype());
      EXPECT_EQ(stored[i].shape, all[i].second.shape());
      EXPECT_EQ(stored[i].read(), all[i].second);
      EXPECT_EQ(stored[i].read(), all[i].second);
    }
  }
}

// A checksum is found out by unpacking; that it is not looked at says that nothing was.
TEST(Npz, WhatAHeaderSaysIsJudgedBeforeUnpacking) {
  const Scratch scratch;
  const auto opened = [&](std::vector<std::byte> bytes) {
    write_file(scratch / "f.npz", bytes);
    return message_of<InputError>([&] { open_npz(scratch / "f.npz"); });
  };
  std::vector<std::byte> array = encode_npy(bytes_tensor({1, 2, 3}));
  array.push_back({});
  auto longer = encode_zip(std::vector<ZipMember>{{"x.npy", array}});
  longer[find_record(longer, kLocal, 0) + 14] ^= std::byte{1};
  longer[find_record(longer, kCentral, 0) + 16] ^= std::byte{1};
  EXPECT_THAT(opened(longer), testing::HasSubstr("size of the array, got 132 bytes, expected 131 for uint8 3"));
  EXPECT_THAT(opened(encode_zip(std::vector<ZipMember>{{"x.npy", {}}})), testing::HasSubstr("ends early"));
  write_file(scratch / "f", encode_npz(two_entries()));
  ASSERT_EQ(std::system(("gzip -c " + (scratch / "f").string() + " > " + (scratch / "g.npz").string()).c_str()), 0);
  EXPECT_THAT(message_of<InputError>([&] { open_npz(scratch / "g.npz"); }), testing::HasSubstr("packed by gzip"));
}

TEST(Npz, NoEntriesAreFine) { EXPECT_TRUE(parse(encode_npz({})).empty()); }

TEST(Npz, EqualEntriesGiveEqualBytes) { EXPECT_EQ(encode_npz(two_entries()), encode_npz(two_entries())); }

TEST(Npz, RefusesRepeatedAndEmptyNames) {
  EXPECT_THROW(encode_npz({{"x", bytes_tensor({1})}, {"x", bytes_tensor({2})}}), UsageError);
  EXPECT_THROW(encode_npz({{"", bytes_tensor({1})}}), UsageError);
  EXPECT_THROW(encode_npz({{std::string(70000, 'n'), bytes_tensor({1})}}), UsageError);
  auto bytes = patched(kCentral, 1, 46, {'x'});
  bytes[find_record(bytes, kLocal, 1) + 30] = std::byte{'x'};
  EXPECT_THROW(parse(bytes), InputError);
}

TEST(Npz, RefusesMembersThatAreNoArrays) {
  const std::vector<ZipMember> members = {{"readme.txt", {}}};
  EXPECT_THROW(parse(encode_zip(members)), UnsupportedError);
  EXPECT_THROW(parse(patched(kCentral, 0, 46, {'q'})), InputError) << "names differ";
}

TEST(Npz, ChecksTheCrc) {
  auto bytes = encode_npz(two_entries());
  bytes[find_record(bytes, kLocal, 1) - 1] ^= std::byte{1};
  EXPECT_THAT(message_of<InputError>([&] { parse(bytes); }), testing::HasSubstr("CRC32 of member 'x.npy'"));
}

TEST(Npz, NamesWhatItDoesNotRead) {
  EXPECT_THROW(parse(patched(kCentral, 0, 8, {1})), UnsupportedError) << "encrypted";
  EXPECT_THROW(parse(patched(kCentral, 0, 10, {12})), UnsupportedError) << "bzip2";
  EXPECT_THROW(parse(patched(kEnd, 0, 4, {1})), UnsupportedError) << "second disk";
}

TEST(Npz, RefusesMembersThatOverlap) {
  auto bytes = patched(kCentral, 1, 42, {0, 0, 0, 0});
  bytes[find_record(bytes, kCentral, 1) + 46] = std::byte{'x'};
  EXPECT_THAT(message_of<InputError>([&] { parse(bytes); }), testing::HasSubstr("overlap"));
}

TEST(Npz, RefusesSizesDeflateCannotReach) {
  auto bytes = from_hex(kCompressedNpz);
  const std::size_t at = find_record(bytes, kCentral, 0) + 24;
  for (int i = 0; i < 4; ++i) bytes[at + static_cast<std::size_t>(i)] = std::byte{0xf0};
  EXPECT_THAT(message_of<InputError>([&] { parse(bytes); }),
              testing::HasSubstr("expected what its method can give"));
}

TEST(Npz, RefusesSizesThatAreNotTheContents) {
  auto bytes = from_hex(kCompressedNpz);
  std::byte& size = bytes[find_record(bytes, kCentral, 0) + 24];
  for (int change : {-1, 1, 16}) {
    const std::byte old = size;
    size = static_cast<std::byte>(std::to_integer<int>(old) + change);
    EXPECT_THAT(message_of<InputError>([&] { parse(bytes); }), testing::HasSubstr("is damaged"));
    size = old;
  }
}

TEST(Npz, ReadsArchivesWithAComment) {
  auto bytes = encode_npz(two_entries());
  bytes[bytes.size() - 2] = std::byte{5};
  for (char c : {'h', 'e', 'l', 'l', 'o'}) bytes.push_back(static_cast<std::byte>(c));
  EXPECT_EQ(parse(bytes), two_entries());
}

TEST(Npz, RefusesTruncationAndSurvivesDamage) {
  for (const auto& bytes : {encode_npz(two_entries()), from_hex(kCompressedNpz), from_hex(kZip64Npz)}) {
    expect_refuses_truncations(bytes, parse);
    expect_survives_changes(bytes, parse);
  }
}

RC_GTEST_PROP(NpzProperty, RoundTrips, (const std::vector<std::pair<std::string, Tensor>>& drawn)) {
  NamedTensors entries;
  std::set<std::string> names;
  for (const auto& [name, tensor] : drawn)
    if (!name.empty() && names.insert(name).second) entries.emplace_back(name, tensor);
  RC_ASSERT(parse(encode_npz(entries)) == entries);
}

}  // namespace
}  // namespace halftone::data
