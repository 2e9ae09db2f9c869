#include "halftone/rtl/words.h"

namespace halftone::rtl {

std::size_t Words::add() {
  bytes_.resize(bytes_.size() + bytes_a_word());
  return count() - 1;
}

void Words::put(std::size_t index, int at, int bits, std::int64_t value) {
  std::uint8_t* word = bytes_.data() + index * bytes_a_word();
  for (int i = 0; i < bits; ++i) {
    const auto bit = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> i & 1U);
    const int place = at + i;
    word[place / 8] = static_cast<std::uint8_t>((word[place / 8] & ~(1U << place % 8)) | static_cast<unsigned>(bit) << place % 8);
  }
}

std::uint64_t Words::get(std::size_t index, int at, int bits) const {
  const std::uint8_t* word = bytes_.data() + index * bytes_a_word();
  std::uint64_t value = 0;
  for (int i = 0; i < bits; ++i) value |= static_cast<std::uint64_t>(word[(at + i) / 8] >> (at + i) % 8 & 1) << i;
  return value;
}

std::int64_t sign_extended(std::uint64_t value, int bits) {
  return static_cast<std::int64_t>(value << (64 - bits)) >> (64 - bits);
}

}  // namespace halftone::rtl
