#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "tests/base/bytes.h"
#include "tests/base/message_of.h"

namespace halftone {
namespace {

Bytes unpack(const Bytes& packed) { return gunzip(packed, "test"); }

// "halftone" as `gzip -n9` makes it.
constexpr unsigned char kHalftone[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                       0xcb, 0x48, 0xcc, 0x49, 0x2b, 0xc9, 0xcf, 0x4b, 0x05, 0x00,
                                       0xd2, 0x06, 0xd9, 0x43, 0x08, 0x00, 0x00, 0x00};

TEST(Gunzip, UnpacksWhatTheGzipProgramMade) {
  EXPECT_EQ(gunzip(std::as_bytes(std::span(kHalftone)), "test"), bytes_of("halftone"));
}

RC_GTEST_PROP(Gunzip, IsTheInverseOfGzip, ()) {
  const auto text = *rc::gen::arbitrary<std::string>();
  const auto level = *rc::gen::inRange(0, 10);
  RC_ASSERT(unpack(gzip(bytes_of(text), level)) == bytes_of(text));
}

RC_GTEST_PROP(Gunzip, MembersAreJoined, ()) {
  const auto texts =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(rc::gen::arbitrary<std::string>()));
  Bytes packed;
  Bytes expected;
  for (const std::string& text : texts) {
    packed = join(packed, gzip(bytes_of(text)));
    expected = join(expected, bytes_of(text));
  }
  RC_ASSERT(unpack(packed) == expected);
}

TEST(Gunzip, UnpacksMoreThanOneBlockOfItsBuffer) {
  Bytes content((std::size_t{5} << 19) + 7);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i * i >> 7);
  EXPECT_EQ(unpack(gzip(content, 1)), content);
  EXPECT_EQ(unpack(gzip(Bytes(std::size_t{1} << 20))), Bytes(std::size_t{1} << 20));
}

TEST(Gunzip, RefusesEveryTruncation) {
  const Bytes packed = gzip(bytes_of("a text of some length, a text of some length, 0123456789"));
  for (std::size_t length = 0; length < packed.size(); ++length)
    EXPECT_THROW(unpack(prefix(packed, length)), InputError) << "length " << length;
}

TEST(Gunzip, RefusesEveryTruncationOfALaterMember) {
  const Bytes first = gzip(bytes_of("first"));
  const Bytes packed = join(first, gzip(bytes_of("second")));
  for (std::size_t length = first.size() + 1; length < packed.size(); ++length)
    EXPECT_THROW(unpack(prefix(packed, length)), InputError) << "length " << length;
  EXPECT_EQ(unpack(prefix(packed, first.size())), bytes_of("first"));
}

TEST(Gunzip, AChangedByteIsNoticedOrHarmless) {
  const Bytes content = bytes_of("a text of some length, a text of some length, 0123456789");
  const Bytes packed = gzip(content);
  for (std::size_t at = 0; at < packed.size(); ++at)
    for (int change : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff}) {
      Bytes damaged = packed;
      damaged[at] ^= static_cast<std::byte>(change);
      try {
        // The time stamp, padding bits and the like carry no content.
        ASSERT_EQ(unpack(damaged), content) << "byte " << at << " changed by " << change;
      } catch (const InputError& error) {
        ASSERT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
      }
    }
}

TEST(Gunzip, SurvivesManyChangedBytes) {
  const Bytes packed = gzip(bytes_of("a text of some length, a text of some length, 0123456789"));
  std::uint32_t state = 1;
  for (int round = 0; round < 1000; ++round) {
    Bytes damaged = packed;
    for (int i = 0; i < 5; ++i) {
      state = state * 1664525 + 1013904223;
      damaged[3 + (state >> 8) % (damaged.size() - 3)] = static_cast<std::byte>(state >> 24);
    }
    try {
      unpack(damaged);
    } catch (const InputError&) {
    }
  }
}

TEST(Gunzip, RefusesWhatIsNotGzip) {
  EXPECT_THROW(unpack({}), InputError);
  EXPECT_THROW(unpack(bytes_of("PK\x03\x04 something else altogether")), InputError);
  EXPECT_THROW(unpack(join(gzip(bytes_of("text")), bytes_of("and then something else"))), InputError);
  // A raw zlib stream (RFC 1950) is not a gzip file (RFC 1952).
  EXPECT_THROW(unpack(bytes_of("\x78\x9c\x03\x00\x00\x00\x00\x01")), InputError);
}

TEST(Gunzip, StopsAtTheLimit) {
  const Bytes packed = gzip(Bytes(1000));
  EXPECT_EQ(gunzip(packed, "test", 1000).size(), 1000U);
  EXPECT_THROW(gunzip(packed, "test", 999), InputError);
  EXPECT_THROW(gunzip(packed, "test", 0), InputError);
  EXPECT_TRUE(gunzip(gzip({}), "test", 0).empty());
}

TEST(Gunzip, TheLimitCoversAllMembersTogether) {
  const Bytes packed = join(gzip(Bytes(600)), gzip(Bytes(600)));
  EXPECT_EQ(gunzip(packed, "test", 1200).size(), 1200U);
  EXPECT_THROW(gunzip(packed, "test", 1199), InputError);
}

TEST(Gunzip, ErrorsNameTheData) {
  const Bytes packed = gzip(bytes_of("text"));
  EXPECT_EQ(message_of<InputError>([&] { gunzip(prefix(packed, 12), "images.gz"); }),
            "[images.gz] gzip data ends early (truncated)");
  EXPECT_EQ(message_of<InputError>([&] { gunzip(packed, "images.gz", 3); }),
            "[images.gz] unpacks to more than 3 bytes");
}

}  // namespace
}  // namespace halftone
