#include "halftone/numeric/packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"
#include "halftone/numeric/format.h"
#include "tests/base/message_of.h"

namespace halftone::numeric {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Values = std::vector<std::int32_t>;

TEST(Pack, LowBitsFirst) {
  EXPECT_THAT(pack(Values{1, 2, 3}, 3, 4), ElementsAre(0x21, 0x03));
  EXPECT_THAT(pack(Values{1, 2, 3, 0, 1}, 5, 2), ElementsAre(0b00'11'10'01, 0b01));
  EXPECT_THAT(pack(Values{1, 0, 1, 1, 0, 0, 0, 0, 1}, 9, 1), ElementsAre(0b00001101, 0b1));
}

TEST(Pack, ARowStartsAByte) {
  EXPECT_THAT(pack(Values{1, 2, 3, 4, 5, 6}, 3, 4), ElementsAre(0x21, 0x03, 0x54, 0x06));
  EXPECT_THAT(pack(Values{1, 1, 1, 0}, 1, 1), ElementsAre(1, 1, 1, 0));
}

TEST(Pack, NegativeIntegersKeepTheirLowBitsAndTheRestIsZero) {
  EXPECT_THAT(pack(Values{-1, -8, -1}, 3, 4), ElementsAre(0x8f, 0x0f));
  EXPECT_THAT(pack(Values{-1}, 1, 2), ElementsAre(0x03));
  EXPECT_THAT(pack(Values{-1}, 1, 1), ElementsAre(0x01));
}

TEST(Pack, BytesOfARow) {
  EXPECT_EQ(packed_row_bytes(0, 4), 0);
  EXPECT_EQ(packed_row_bytes(1, 4), 1);
  EXPECT_EQ(packed_row_bytes(2, 4), 1);
  EXPECT_EQ(packed_row_bytes(3, 4), 2);
  EXPECT_EQ(packed_row_bytes(8, 1), 1);
  EXPECT_EQ(packed_row_bytes(9, 1), 2);
  EXPECT_EQ(packed_row_bytes(5, 2), 2);
}

RC_GTEST_PROP(Pack, UnpacksToWhatWasPacked, ()) {
  const IntegerFormat format{*rc::gen::element(1, 2, 4), *rc::gen::arbitrary<bool>(), false};
  const auto columns = *rc::gen::inRange<std::int64_t>(1, 20);
  const auto rows = *rc::gen::inRange<std::int64_t>(0, 6);
  const auto values = *rc::gen::container<Values>(static_cast<std::size_t>(rows * columns),
                                                  rc::gen::inRange(format.qmin(), format.qmax() + 1));
  const auto bytes = pack(values, columns, format.bits);
  RC_ASSERT(static_cast<std::int64_t>(bytes.size()) == rows * packed_row_bytes(columns, format.bits));
  RC_ASSERT(unpack(bytes, rows, columns, format.bits, format.is_signed) == values);
}

// Bytes that fill their rows are told apart by their values, all 2^8 of them.
TEST(Pack, EveryByteComesBack) {
  for (int bits : {1, 2, 4})
    for (bool is_signed : {false, true})
      for (int byte = 0; byte < 256; ++byte) {
        const std::vector<std::uint8_t> bytes{static_cast<std::uint8_t>(byte)};
        EXPECT_EQ(pack(unpack(bytes, 1, 8 / bits, bits, is_signed), 8 / bits, bits), bytes);
      }
}

TEST(Pack, SignExtends) {
  EXPECT_THAT(unpack(std::vector<std::uint8_t>{0x8f}, 1, 2, 4, true), ElementsAre(-1, -8));
  EXPECT_THAT(unpack(std::vector<std::uint8_t>{0x8f}, 1, 2, 4, false), ElementsAre(15, 8));
  EXPECT_THAT(unpack(std::vector<std::uint8_t>{0x02}, 1, 2, 1, true), ElementsAre(0, -1));
}

RC_GTEST_PROP(PackBinary, OneBitIsPlusOne, ()) {
  const auto columns = *rc::gen::inRange<std::int64_t>(1, 20);
  const auto rows = *rc::gen::inRange<std::int64_t>(0, 6);
  const auto values =
      *rc::gen::container<Values>(static_cast<std::size_t>(rows * columns), rc::gen::element(-1, 1));
  RC_ASSERT(unpack_binary(pack_binary(values, columns), rows, columns) == values);
}

TEST(PackBinary, ByHand) {
  EXPECT_THAT(pack_binary(Values{1, -1, -1, 1, 1}, 5), ElementsAre(0b11001));
  EXPECT_THAT(pack_binary(Values{-1, -1, 1}, 1), ElementsAre(0, 0, 1));
  EXPECT_THAT(unpack_binary(std::vector<std::uint8_t>{0b10}, 1, 3), ElementsAre(-1, 1, -1));
}

TEST(Pack, OtherWidthsAreRefused) {
  for (int bits : {-1, 0, 3, 5, 8, 16}) {
    EXPECT_THROW(packed_row_bytes(4, bits), UsageError) << bits;
    EXPECT_THROW(pack(Values{1}, 1, bits), UsageError) << bits;
    EXPECT_THROW(unpack(std::vector<std::uint8_t>{1}, 1, 1, bits, false), UsageError) << bits;
  }
  EXPECT_EQ(message_of<UsageError>([] { packed_row_bytes(4, 3); }),
            "[packing] bits, got 3, expected 1, 2 or 4");
}

TEST(Pack, OtherSizesAreRefused) {
  EXPECT_THROW(pack(Values{1, 2, 3}, 2, 4), InputError);
  EXPECT_THROW(unpack(std::vector<std::uint8_t>{1, 2}, 1, 2, 4, false), InputError);
  EXPECT_THROW(unpack(std::vector<std::uint8_t>{}, 1, 1, 1, false), InputError);
  EXPECT_THROW(unpack(std::vector<std::uint8_t>{}, -1, 0, 1, false), InputError);
  EXPECT_THROW(unpack_binary(std::vector<std::uint8_t>{1}, 2, 8), InputError);
}

TEST(Pack, NothingPacksToNothing) {
  EXPECT_THAT(pack({}, 0, 4), IsEmpty());
  EXPECT_THAT(pack({}, 5, 4), IsEmpty());
  EXPECT_THAT(unpack({}, 0, 5, 4, true), IsEmpty());
  EXPECT_THAT(unpack({}, 5, 0, 4, true), IsEmpty());
}

TEST(Pack, ValuesThatNoRowHoldsAreRefused) {
  EXPECT_THROW(pack(Values{1, 2}, 0, 4), InputError);
  EXPECT_THROW(pack(Values{1, 2}, -1, 4), InputError);
}

}  // namespace
}  // namespace halftone::numeric
