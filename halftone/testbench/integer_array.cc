#include "halftone/testbench/integer_array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>

#include "halftone/numeric/quant_params.h"

namespace halftone::testbench {
namespace {

std::size_t digits_of(int bits) { return static_cast<std::size_t>(bits + 3) / 4; }

template <typename T>
Tensor narrowed(const IntegerArray& array) {
  const std::vector<T> values(array.values.begin(), array.values.end());
  return Tensor::from<T>(array.shape, values);
}

}  // namespace

int least_bits(std::span<const std::int64_t> values) {
  int bits = 1;
  for (std::int64_t value : values) bits = std::max(bits, 1 + static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value < 0 ? ~value : value))));
  return bits;
}

IntegerArray array_of(const Tensor& integers, int bits, bool is_signed) {
  IntegerArray array{.shape = integers.shape(), .values = {}, .bits = bits, .is_signed = is_signed};
  if (integers.dtype() == DType::int64) {
    const auto values = integers.data<std::int64_t>();
    array.values.assign(values.begin(), values.end());
  } else {
    const std::vector<std::int32_t> values = numeric::to_int32(integers);
    array.values.assign(values.begin(), values.end());
  }
  return array;
}

int held_bits(int bits) { return std::max(8, static_cast<int>(std::bit_ceil(static_cast<unsigned>(bits)))); }

Tensor as_tensor(const IntegerArray& array) {
  switch (held_bits(array.bits)) {
    case 8:
      return array.is_signed ? narrowed<std::int8_t>(array) : narrowed<std::uint8_t>(array);
    case 16:
      return array.is_signed ? narrowed<std::int16_t>(array) : narrowed<std::uint16_t>(array);
    case 32:
      return array.is_signed ? narrowed<std::int32_t>(array) : narrowed<std::uint32_t>(array);
    default:
      return narrowed<std::int64_t>(array);
  }
}

std::string mem_text(const IntegerArray& array, std::string_view name) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::size_t digits = digits_of(array.bits);
  const std::uint64_t mask = array.bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << array.bits) - 1;
  std::string text = fmt::format("// {}: shape {}, {} bits, {}\n", name, array.shape.empty() ? "1" : fmt::format("{}", fmt::join(array.shape, "x")),
                                 array.bits, array.is_signed ? "two's complement" : "unsigned");
  text.reserve(text.size() + array.values.size() * (digits + 1));
  for (std::int64_t value : array.values) {
    const std::uint64_t word = static_cast<std::uint64_t>(value) & mask;
    for (std::size_t d = digits; d-- > 0;) text += kDigits[word >> (4 * d) & 15];
    text += '\n';
  }
  return text;
}

std::int64_t bytes_of_files(std::int64_t elements, int bits) {
  return elements * (held_bits(bits) / 8 + static_cast<std::int64_t>(digits_of(bits)) + 1);
}

}  // namespace halftone::testbench
