#include "halftone/data/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <optional>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/file_reader.h"
#include "halftone/base/shown.h"
#include "halftone/data/bytes.h"
#include "halftone/data/npy_header.h"

namespace halftone::data {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they lie in memory");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeaderBytes = 65535;
constexpr std::size_t kHeaderAlignment = 64;

struct TypeCode {
  std::string_view code;
  DType dtype;
};

constexpr std::array kTypeCodes = {
    TypeCode{"f4", DType::float32}, TypeCode{"f8", DType::float64}, TypeCode{"i1", DType::int8},
    TypeCode{"u1", DType::uint8},   TypeCode{"i2", DType::int16},   TypeCode{"u2", DType::uint16},
    TypeCode{"i4", DType::int32},   TypeCode{"u4", DType::uint32},  TypeCode{"i8", DType::int64},
    TypeCode{"u8", DType::uint64},  TypeCode{"f2", DType::float16}, TypeCode{"b1", DType::boolean}};

struct Elements {
  DType dtype;
  bool big_endian;
};

Elements elements_of(std::string_view descr, std::string_view where) {
  const char order = descr.empty() ? '\0' : descr[0];
  if (order == '<' || order == '>' || order == '|')
    for (const TypeCode& type : kTypeCodes)
      if (descr.substr(1) == type.code && (order != '|' || size_of(type.dtype) == 1))
        return {type.dtype, order == '>'};
  throw UnsupportedError(
      where, fmt::format("element type of a .npy array, got '{}', expected f2, f4, f8, i1, u1, i2, "
                         "u2, i4, u4, i8, u8 or b1 after '<' or '>'",
                         shown(descr)));
}

std::string descr_of(DType dtype) {
  for (const TypeCode& type : kTypeCodes)
    if (type.dtype == dtype) return fmt::format("{}{}", size_of(dtype) == 1 ? '|' : '<', type.code);
  throw std::logic_error("element type without a .npy code");
}

// A type that NumPy lacks is written in one that holds its values.
DType numpy_dtype(DType dtype) { return dtype == DType::bfloat16 ? DType::float32 : memory_dtype(dtype); }

std::string_view header_text(ByteReader& reader, std::string_view where) {
  if (reader.take_text(kMagic.size()) != kMagic)
    throw InputError(where, "first bytes of a .npy array, got something else, expected \"\\x93NUMPY\"");
  const auto major = reader.little<std::uint8_t>();
  const auto minor = reader.little<std::uint8_t>();
  if (major < 1 || major > 3 || minor != 0)
    throw UnsupportedError(
        where, fmt::format("version of a .npy array, got {}.{}, expected 1.0, 2.0 or 3.0", major, minor));
  const std::size_t length = major == 1 ? reader.little<std::uint16_t>() : reader.little<std::uint32_t>();
  if (length > kMaxHeaderBytes)
    throw InputError(where, fmt::format("header length of a .npy array, got {} bytes, expected at most {}",
                                        length, kMaxHeaderBytes));
  return reader.take_text(length);
}

void swap_bytes(std::span<std::byte> bytes, std::size_t element_bytes) {
  for (auto at = bytes.begin(); at != bytes.end(); at += static_cast<std::ptrdiff_t>(element_bytes))
    std::reverse(at, at + static_cast<std::ptrdiff_t>(element_bytes));
}

// `source` holds the elements of `shape` with the first dimension running fastest.
Tensor from_fortran_order(std::span<const std::byte> source, DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  const std::size_t element_bytes = size_of(dtype);
  Shape strides(shape.size(), 1);
  for (std::size_t axis = 1; axis < shape.size(); ++axis) strides[axis] = strides[axis - 1] * shape[axis - 1];
  Shape index(shape.size(), 0);
  std::int64_t from = 0;
  auto out = tensor.mutable_bytes().begin();
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    out =
        std::ranges::copy(source.subspan(static_cast<std::size_t>(from) * element_bytes, element_bytes), out)
            .out;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return tensor;
}

Tensor from_c_order(std::span<const std::byte> source, DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  std::ranges::copy(source, tensor.mutable_bytes().begin());
  return tensor;
}

}  // namespace

Tensor parse_npy(std::span<const std::byte> bytes, std::string_view where) {
  ByteReader reader(bytes, where);
  const NpyHeader header = parse_npy_header(header_text(reader, where), where);
  const Elements elements = elements_of(header.descr, where);
  const std::size_t element_bytes = size_of(elements.dtype);
  const auto expected = static_cast<std::size_t>(element_count(header.shape, where)) * element_bytes;
  if (reader.remaining() != expected)
    throw InputError(where,
                     fmt::format("bytes after the header, got {}, expected {} for {} {}", reader.remaining(),
                                 expected, name_of(elements.dtype), to_string(header.shape)));
  const auto source = reader.take(expected);
  Tensor tensor = header.fortran_order && expected > 0
                      ? from_fortran_order(source, elements.dtype, header.shape)
                      : from_c_order(source, elements.dtype, header.shape);
  if (elements.big_endian) swap_bytes(tensor.mutable_bytes(), element_bytes);
  // Any other byte in a bool is undefined.
  if (elements.dtype == DType::boolean)
    for (std::byte& b : tensor.mutable_bytes()) b = std::byte{b != std::byte{0}};
  return tensor;
}

std::size_t npy_start_bytes(std::span<const std::byte> prefix) {
  if (prefix.size() < kNpyPrefix) return prefix.size();
  ByteReader reader(prefix.subspan(kMagic.size()), "");
  const auto major = reader.little<std::uint8_t>();
  reader.take(1);
  const std::size_t length = major == 1 ? reader.little<std::uint16_t>() : reader.little<std::uint32_t>();
  return kNpyPrefix + std::min(length, kMaxHeaderBytes);
}

NpyStart parse_npy_start(std::span<const std::byte> bytes, std::string_view where) {
  ByteReader reader(bytes, where);
  const NpyHeader header = parse_npy_header(header_text(reader, where), where);
  const DType dtype = elements_of(header.descr, where).dtype;
  const auto data = static_cast<std::uint64_t>(element_count(header.shape, where)) * size_of(dtype);
  return {dtype, header.shape, bytes.size() - reader.remaining() + data};
}

Tensor read_npy(const std::filesystem::path& path) {
  const std::string where = path.string();
  return parse_npy(read_file(path, [&](std::span<const std::byte> start) { return parse_npy_start(start, where).bytes; }),
                   where);
}

StoredArray open_npy(const std::filesystem::path& path) {
  auto file = std::make_shared<FileReader>(path);
  const auto block = file->next();
  const NpyStart start = parse_npy_start(block, path.string());
  // A pipe can be read once: what was taken for the header is kept for the rest.
  auto first = std::make_shared<std::vector<std::byte>>(block.begin(), block.end());
  return {"", start.dtype, start.shape,
          [file, first, size = start.bytes, read = std::make_shared<std::optional<Tensor>>()] {
            if (!*read) *read = parse_npy(read_rest(*file, std::move(*first), size), file->path().string());
            return **read;
          }};
}

std::vector<std::byte> encode_npy(const Tensor& original) {
  const Tensor tensor = original.cast(numpy_dtype(original.dtype()));
  if (tensor.rank() > kMaxNpyRank)
    throw UsageError("write .npy",
                     fmt::format("dimensions, got {}, expected at most {}", tensor.rank(), kMaxNpyRank));
  std::string header = encode_npy_header({descr_of(tensor.dtype()), false, tensor.shape()});
  const std::size_t before_text = kMagic.size() + 2 + sizeof(std::uint16_t);
  const std::size_t end = before_text + header.size() + 1;
  header.append((kHeaderAlignment - end % kHeaderAlignment) % kHeaderAlignment, ' ');
  header += '\n';
  std::vector<std::byte> out;
  out.reserve(before_text + header.size() + tensor.byte_size());
  append(out, kMagic);
  append_little(out, std::uint8_t{1});
  append_little(out, std::uint8_t{0});
  append_little(out, static_cast<std::uint16_t>(header.size()));
  append(out, header);
  append(out, tensor.bytes());
  return out;
}

void write_npy(const std::filesystem::path& path, const Tensor& tensor) {
  write_file(path, encode_npy(tensor));
}

}  // namespace halftone::data
