#include "halftone/data/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/file_reader.h"
#include "halftone/data/bytes.h"

namespace halftone::data {
namespace {

constexpr std::uint32_t kImagesMagic = 2051;
constexpr std::uint32_t kLabelsMagic = 2049;

bool has_empty_images(const Shape& shape) { return shape.size() == 3 && (shape[1] == 0 || shape[2] == 0); }

Shape take_header(ByteReader& reader, std::string_view where) {
  const auto magic = reader.big<std::uint32_t>();
  if (magic != kImagesMagic && magic != kLabelsMagic)
    throw InputError(
        where, fmt::format("magic number of an IDX file, got {}, expected {} (images) or {} (labels)", magic,
                           kImagesMagic, kLabelsMagic));
  Shape shape(magic == kImagesMagic ? 3 : 1);
  for (std::int64_t& dim : shape) dim = reader.big<std::uint32_t>();
  if (has_empty_images(shape))
    throw InputError(where, fmt::format("image size, got {}x{}, expected at least 1x1", shape[1], shape[2]));
  return shape;
}

}  // namespace

Tensor parse_idx(std::span<const std::byte> bytes, std::string_view where) {
  ByteReader reader(bytes, where);
  const Shape shape = take_header(reader, where);
  const auto count = static_cast<std::size_t>(element_count(shape, where));
  if (reader.remaining() != count)
    throw InputError(where, fmt::format("bytes after the header, got {}, expected {} for {}",
                                        reader.remaining(), count, to_string(shape)));
  Tensor tensor(DType::uint8, shape);
  std::ranges::copy(reader.take(count), tensor.mutable_bytes().begin());
  return tensor;
}

Tensor read_idx(const std::filesystem::path& path) {
  const std::string where = path.string();
  const auto size_of = [&](std::span<const std::byte> start) {
    ByteReader reader(start, where);
    const auto count = static_cast<std::uint64_t>(element_count(take_header(reader, where), where));
    return start.size() - reader.remaining() + count;
  };
  return parse_idx(read_file(path, size_of), where);
}

Shape read_idx_shape(const std::filesystem::path& path) {
  const std::string where = path.string();
  FileReader file(path);
  ByteReader reader(file.next(), where);
  return take_header(reader, where);
}

std::vector<std::byte> encode_idx(const Tensor& tensor) {
  if (tensor.dtype() != DType::uint8 || (tensor.rank() != 1 && tensor.rank() != 3) ||
      has_empty_images(tensor.shape()))
    throw UsageError("write IDX", fmt::format("tensor, got {} {}, expected uint8 [N] or [N,H,W]",
                                              name_of(tensor.dtype()), to_string(tensor.shape())));
  std::vector<std::byte> out;
  append_big(out, tensor.rank() == 3 ? kImagesMagic : kLabelsMagic);
  for (std::int64_t dim : tensor.shape()) {
    if (dim > std::numeric_limits<std::uint32_t>::max())
      throw UsageError("write IDX", fmt::format("dimension, got {}, expected less than 2^32", dim));
    append_big(out, static_cast<std::uint32_t>(dim));
  }
  append(out, tensor.bytes());
  return out;
}

void write_idx(const std::filesystem::path& path, const Tensor& tensor) {
  write_file(path, encode_idx(tensor));
}

}  // namespace halftone::data
