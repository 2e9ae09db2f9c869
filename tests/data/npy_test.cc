#include "halftone/data/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"
#include "halftone/data/bytes.h"
#include "tests/data/arbitrary_tensor.h"
#include "tests/data/damage.h"
#include "tests/data/numpy_files.h"
#include "tests/data/scratch.h"

namespace halftone::data {
namespace {

Tensor parse(std::span<const std::byte> bytes) { return parse_npy(bytes, "test"); }

std::vector<std::byte> file(int major, std::string_view header, std::string_view data) {
  std::vector<std::byte> bytes;
  append(bytes, "\x93NUMPY");
  append_little(bytes, static_cast<std::uint8_t>(major));
  append_little(bytes, std::uint8_t{0});
  if (major == 1) {
    append_little(bytes, static_cast<std::uint16_t>(header.size()));
  } else {
    append_little(bytes, static_cast<std::uint32_t>(header.size()));
  }
  append(bytes, header);
  append(bytes, data);
  return bytes;
}

Tensor parse_header(std::string_view header, std::string_view data) { return parse(file(1, header, data)); }

Tensor parse_type(std::string_view descr, std::string_view data) {
  return parse_header("{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': ()}", data);
}

using namespace std::string_view_literals;

TEST(Npy, WritesTheHeaderNumpyWrites) {
  const auto bytes = encode_npy(Tensor::from<float>({2, 3}, std::vector<float>(6)));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_TRUE(text.starts_with(
      "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  "sv));
  EXPECT_EQ(bytes.size(), 128u + 24u);
  EXPECT_EQ(text[127], '\n');
}

TEST(Npy, ReadsFortranOrderAndBigEndian) {
  const Tensor tensor = parse(from_hex(kFortranBigEndianNpy));
  EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
  EXPECT_THAT(tensor.data<std::int16_t>(), testing::ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Npy, TransposesThreeFortranDimensions) {
  // Element (i, j, k) of shape 2x3x2 is 100 i + 10 j + k; the first index runs fastest in the file.
  std::string data;
  for (int k = 0; k < 2; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i) data += static_cast<char>(100 * i + 10 * j + k);
  const Tensor tensor = parse_header("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2)}", data);
  EXPECT_THAT(tensor.data<std::uint8_t>(),
              testing::ElementsAre(0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121));
}

TEST(Npy, ReadsEveryElementTypeInBothOrders) {
  EXPECT_EQ(parse_type("<f4", "\x00\x00\x80\x3f"sv).data<float>()[0], 1);
  EXPECT_EQ(parse_type(">f4", "\x3f\x80\x00\x00"sv).data<float>()[0], 1);
  EXPECT_EQ(parse_type("<f8", "\x00\x00\x00\x00\x00\x00\xf0\x3f"sv).data<double>()[0], 1);
  EXPECT_EQ(parse_type(">f8", "\x3f\xf0\x00\x00\x00\x00\x00\x00"sv).data<double>()[0], 1);
  EXPECT_EQ(parse_type("|i1", "\xff"sv).data<std::int8_t>()[0], -1);
  EXPECT_EQ(parse_type("|u1", "\xff"sv).data<std::uint8_t>()[0], 255);
  EXPECT_EQ(parse_type(">u1", "\xff"sv).data<std::uint8_t>()[0], 255);
  EXPECT_EQ(parse_type("|b1", "\x07"sv).data<bool>()[0], true);
  EXPECT_EQ(parse_type("<i2", "\xfe\xff"sv).data<std::int16_t>()[0], -2);
  EXPECT_EQ(parse_type(">u2", "\x01\x02"sv).data<std::uint16_t>()[0], 258);
  EXPECT_EQ(parse_type("<i4", "\xfe\xff\xff\xff"sv).data<std::int32_t>()[0], -2);
  EXPECT_EQ(parse_type(">i4", "\x00\x00\x01\x02"sv).data<std::int32_t>()[0], 258);
  EXPECT_EQ(parse_type(">i8", "\x00\x00\x00\x00\x00\x00\x01\x02"sv).data<std::int64_t>()[0], 258);
}

TEST(Npy, WritesWhatNumPyHasNoTypeForInOneThatHoldsIt) {
  const auto read_back = [](const Tensor& tensor) { return parse_npy(encode_npy(tensor), "test"); };
  const Tensor nibbles = Tensor::from<std::int8_t>({2}, std::vector<std::int8_t>{-8, 7});
  EXPECT_EQ(read_back(nibbles.cast(DType::int4)), nibbles);
  EXPECT_EQ(read_back(Tensor(DType::uint2, {3})).dtype(), DType::uint8);
  EXPECT_EQ(read_back(Tensor::from<float>({1}, std::vector{1.5F}).cast(DType::bfloat16)).data<float>()[0],
            1.5F);
  for (DType dtype : {DType::boolean, DType::float16, DType::uint32, DType::uint64})
    EXPECT_EQ(read_back(Tensor(dtype, {2})).dtype(), dtype);
}

TEST(Npy, NamesTypesItDoesNotRead) {
  for (std::string_view descr : {"<c8", "<f1", "<f16", "<U3", "|O", "|S5", "<M8[ns]", "|f4", "=f4", "f4", ""})
    EXPECT_THROW(parse_type(descr, "12345678"), UnsupportedError) << descr;
  EXPECT_THROW(parse_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234"),
               UnsupportedError);
  EXPECT_EQ(
      message_of<UnsupportedError>([] { parse_type("<c8", ""); }),
      "[test] element type of a .npy array, got '<c8', expected f2, f4, f8, i1, u1, i2, u2, i4, u4, i8, "
      "u8 or b1 after '<' or '>'");
}

TEST(Npy, ReadsVersions1To3) {
  const std::string_view header = "{'shape': (2,), 'fortran_order': False, 'descr': '|u1'}\n";
  for (int major : {1, 2, 3})
    EXPECT_THAT(parse(file(major, header, "ab")).data<std::uint8_t>(), testing::ElementsAre('a', 'b'));
  for (int major : {0, 4, 255}) EXPECT_THROW(parse(file(major, header, "ab")), UnsupportedError);
}

TEST(Npy, ReadsOtherSpellingsOfTheHeader) {
  EXPECT_EQ(parse_header("{\"descr\":\"|u1\",\"fortran_order\":False,\"shape\":(1,2,),}", "ab").shape(),
            (Shape{1, 2}));
  EXPECT_EQ(
      parse_header(" { 'descr' : '|u1' , 'fortran_order' : True , 'shape' : ( 2L , 1L ) } \n", "ab").shape(),
      (Shape{2, 1}));
}

TEST(Npy, RefusesMalformedHeaders) {
  for (std::string_view header :
       {"", "{", "{}", "[]", "{'descr': '|u1', 'fortran_order': False}", "{'descr': '|u1', 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': 1}",
        "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '\\x7cu1', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1, 'fortran_order': False, 'shape': (1,)}",
        "{'descr': None, 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1' 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}"})
    EXPECT_THROW(parse_header(header, "a"), InputError) << header;
}

TEST(Npy, RefusesShapesOfTooManyElements) {
  EXPECT_THROW(
      parse_header("{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", ""),
      InputError);
  EXPECT_THROW(parse_header("{'descr': '<f8', 'fortran_order': True, 'shape': (9223372036854775807,)}", ""),
               InputError);
  std::string ones;
  for (int i = 0; i < 65; ++i) ones += "1, ";
  EXPECT_THROW(parse_header("{'descr': '|u1', 'fortran_order': False, 'shape': (" + ones + ")}", "a"),
               InputError);
}

TEST(Npy, EmptyArraysAreFine) {
  for (std::string_view order : {"True", "False"})
    EXPECT_EQ(
        parse_header("{'descr': '<f8', 'fortran_order': " + std::string(order) + ", 'shape': (3, 0, 5)}", "")
            .shape(),
        (Shape{3, 0, 5}));
}

TEST(Npy, RefusesHeadersTooLong) {
  EXPECT_THROW(parse(file(2, std::string(65536, ' '), "")), InputError);
  EXPECT_THROW(
      parse(file(2, "{'shape': (1,), 'fortran_order': False, 'descr': '|u1'}" + std::string(60000, ' '), "")),
      InputError);
}

TEST(Npy, RefusesTrailingBytes) {
  auto bytes = from_hex(kFortranBigEndianNpy);
  bytes.push_back(std::byte{0});
  EXPECT_THROW(parse(bytes), InputError);
}

TEST(Npy, RefusesTruncationAndSurvivesDamage) {
  const auto bytes = from_hex(kFortranBigEndianNpy);
  expect_refuses_truncations(bytes, parse);
  expect_survives_changes(bytes, parse);
}

TEST(Npy, WritesFiles) {
  const Scratch scratch;
  const Tensor tensor = Tensor::from<std::int64_t>({1, 2}, std::vector<std::int64_t>{-5, 1LL << 40});
  write_npy(scratch / "a.npy", tensor);
  EXPECT_EQ(read_npy(scratch / "a.npy"), tensor);
  EXPECT_THROW(read_npy(scratch / "b.npy"), SystemError);
  const StoredArray stored = open_npy(scratch / "a.npy");
  EXPECT_EQ(stored.dtype, tensor.dtype());
  EXPECT_EQ(stored.shape, tensor.shape());
  EXPECT_EQ(stored.read(), tensor);
  EXPECT_THROW(encode_npy(Tensor(DType::uint8, Shape(65, 1))), UsageError);
}

RC_GTEST_PROP(NpyProperty, RoundTrips, (const Tensor& tensor)) {
  RC_ASSERT(parse(encode_npy(tensor)) == tensor);
}

RC_GTEST_PROP(NpyProperty, SurvivesAnyHeader, (const std::string& header)) {
  expect_survives(file(1, header, "abcd"), parse);
}

}  // namespace
}  // namespace halftone::data
