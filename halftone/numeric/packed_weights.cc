#include "halftone/numeric/packed_weights.h"

#include <algorithm>
#include <vector>

#include "halftone/numeric/packing.h"
#include "halftone/numeric/quant_params.h"

namespace halftone::numeric {
namespace {

std::vector<std::uint8_t> pack_bits(const Tensor& integers, std::int64_t columns, int bits) {
  const std::vector<std::int32_t> values = to_int32(integers);
  if (bits == 1) return pack_binary(values, columns);
  if (bits < 8) return pack(values, columns, bits);
  std::vector<std::uint8_t> bytes;
  for (std::int32_t value : values)
    for (int shift = 0; shift < bits; shift += 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  return bytes;
}

}  // namespace

int packed_bits(const Tensor& integers) {
  if (integers.dtype() != DType::int2) return bits_of(integers.dtype());
  const auto values = integers.data<std::int8_t>();
  return std::ranges::all_of(values, [](std::int8_t q) { return q == -1 || q == 1; }) ? 1 : 2;
}

PackedWeights pack_rows(const Tensor& integers) {
  const std::int64_t rows = integers.rank() == 0 ? 1 : integers.dim(0);
  const std::int64_t columns = rows == 0 ? 0 : integers.size() / rows;
  const std::int64_t bits = packed_bits(integers);
  const std::vector<std::uint8_t> bytes = pack_bits(integers, columns, static_cast<int>(bits));
  const std::int64_t row_bytes = rows == 0 ? 0 : static_cast<std::int64_t>(bytes.size()) / rows;
  return {.bytes = Tensor::from<std::uint8_t>({rows, row_bytes}, bytes),
          .shape = Tensor::from<std::int64_t>({static_cast<std::int64_t>(integers.rank())}, integers.shape()),
          .bits = Tensor::from<std::int64_t>({}, {&bits, 1})};
}

}  // namespace halftone::numeric
