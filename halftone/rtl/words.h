// Words of a stream: numbers one after the other, low bits first, each word from a whole byte on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace halftone::rtl {

class Words {
 public:
  explicit Words(int width) : width_(width) {}

  int width() const { return width_; }
  std::size_t bytes_a_word() const { return static_cast<std::size_t>(width_ + 7) / 8; }
  std::size_t count() const { return bytes_.size() / bytes_a_word(); }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  std::vector<std::uint8_t>& bytes() { return bytes_; }

  // A word of zeros, to be filled.
  std::size_t add();
  // The low `bits` (64 at most) of value, from bit `at` of word `index` on; two's complement.
  void put(std::size_t index, int at, int bits, std::int64_t value);
  std::uint64_t get(std::size_t index, int at, int bits) const;

 private:
  int width_;
  std::vector<std::uint8_t> bytes_;
};

// Of `bits` bits, 1 to 64.
std::int64_t sign_extended(std::uint64_t value, int bits);

}  // namespace halftone::rtl
