#include "halftone/numeric/packing.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::numeric {
namespace {

void check_bits(int bits) {
  if (bits != 1 && bits != 2 && bits != 4)
    throw UsageError("packing", fmt::format("bits, got {}, expected 1, 2 or 4", bits));
}

}  // namespace

std::int64_t packed_row_bytes(std::int64_t columns, int bits) {
  check_bits(bits);
  return (columns * bits + 7) / 8;
}

std::vector<std::uint8_t> pack(std::span<const std::int32_t> values, std::int64_t columns, int bits) {
  const std::int64_t row_bytes = packed_row_bytes(columns, bits);
  if (columns <= 0 && values.empty()) return {};
  if (columns <= 0 || values.size() % static_cast<std::size_t>(columns) != 0)
    throw InputError("packing",
                     fmt::format("{} values, expected a multiple of {} columns", values.size(), columns));
  const std::uint32_t mask = (1U << bits) - 1U;
  std::vector<std::uint8_t> bytes(values.size() / static_cast<std::size_t>(columns) *
                                  static_cast<std::size_t>(row_bytes));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i) / columns;
    const auto bit = static_cast<std::int64_t>(i) % columns * bits;
    const std::uint32_t value = static_cast<std::uint32_t>(values[i]) & mask;
    bytes[static_cast<std::size_t>(row * row_bytes + bit / 8)] |=
        static_cast<std::uint8_t>(value << (bit % 8));
  }
  return bytes;
}

std::vector<std::int32_t> unpack(std::span<const std::uint8_t> bytes, std::int64_t rows, std::int64_t columns,
                                 int bits, bool is_signed) {
  const std::int64_t row_bytes = packed_row_bytes(columns, bits);
  if (rows < 0 || columns < 0 || static_cast<std::int64_t>(bytes.size()) != rows * row_bytes)
    throw InputError("packing",
                     fmt::format("{} bytes, expected {} rows of {}", bytes.size(), rows, row_bytes));
  const std::int32_t mask = (1 << bits) - 1;
  std::vector<std::int32_t> values;
  values.reserve(static_cast<std::size_t>(rows * columns));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t bit = column * bits;
      const std::int32_t value =
          (bytes[static_cast<std::size_t>(row * row_bytes + bit / 8)] >> (bit % 8)) & mask;
      values.push_back(is_signed && (value >> (bits - 1)) != 0 ? value - mask - 1 : value);
    }
  }
  return values;
}

std::vector<std::uint8_t> pack_binary(std::span<const std::int32_t> values, std::int64_t columns) {
  std::vector<std::int32_t> codes(values.size());
  std::transform(values.begin(), values.end(), codes.begin(), [](std::int32_t v) { return v > 0 ? 1 : 0; });
  return pack(codes, columns, 1);
}

std::vector<std::int32_t> unpack_binary(std::span<const std::uint8_t> bytes, std::int64_t rows,
                                        std::int64_t columns) {
  std::vector<std::int32_t> values = unpack(bytes, rows, columns, 1, false);
  for (std::int32_t& v : values) v = v == 1 ? 1 : -1;
  return values;
}

}  // namespace halftone::numeric
