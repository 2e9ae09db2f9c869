// Integers of a stated byte order, read from and appended to strings of bytes.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace halftone::data {

// Reads from front to back. Going past the end throws InputError, naming `where`.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  std::size_t remaining() const { return bytes_.size(); }
  std::span<const std::byte> take(std::size_t count);
  std::string_view take_text(std::size_t count);

  template <std::unsigned_integral T>
  T little() {
    T value = 0;
    const auto bytes = take(sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value = static_cast<T>(value | (std::to_integer<T>(bytes[i]) << (8 * i)));
    return value;
  }
  template <std::unsigned_integral T>
  T big() {
    T value = 0;
    for (std::byte byte : take(sizeof(T))) value = static_cast<T>((value << 8) | std::to_integer<T>(byte));
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view where_;
};

void append(std::vector<std::byte>& out, std::span<const std::byte> bytes);
void append(std::vector<std::byte>& out, std::string_view text);

template <std::unsigned_integral T>
void append_little(std::vector<std::byte>& out, T value) {
  for (unsigned shift = 0; shift < 8 * sizeof(T); shift += 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}
template <std::unsigned_integral T>
void append_big(std::vector<std::byte>& out, T value) {
  for (unsigned shift = 8 * sizeof(T); shift > 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> (shift - 8)));
}

}  // namespace halftone::data
