// Integers of 1, 2 or 4 bits packed into bytes: low bits first, every row starts a byte. docs/arithmetic.md
// section 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace halftone::numeric {

// Bytes of one packed row.
std::int64_t packed_row_bytes(std::int64_t columns, int bits);

// Packs a rows×columns matrix, row-major. The low `bits` bits of every value are kept (two's complement for
// negative ones); unused bits of a row's last byte are 0. Throws UsageError unless bits is 1, 2 or 4.
std::vector<std::uint8_t> pack(std::span<const std::int32_t> values, std::int64_t columns, int bits);

// The inverse of pack for values of the format; sign-extends when `is_signed`.
std::vector<std::int32_t> unpack(std::span<const std::uint8_t> bytes, std::int64_t rows, std::int64_t columns,
                                 int bits, bool is_signed);

// Binary weights {−1, +1} stored one bit each: 1 is +1.
std::vector<std::uint8_t> pack_binary(std::span<const std::int32_t> values, std::int64_t columns);
std::vector<std::int32_t> unpack_binary(std::span<const std::uint8_t> bytes, std::int64_t rows,
                                        std::int64_t columns);

}  // namespace halftone::numeric
