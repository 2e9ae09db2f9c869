// A short name for the contents of bytes, to notice that a file is another one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace halftone {

// FNV-1a over 64 bits (Fowler, Noll, Vo), the length of each piece first. Against accidents, not against
// forgers.
class Digest {
 public:
  void add(std::span<const std::byte> piece);
  // Sixteen hexadecimal digits.
  std::string text() const;

 private:
  void mix(std::byte b) { state_ = (state_ ^ static_cast<std::uint64_t>(b)) * 0x100000001b3U; }
  std::uint64_t state_ = 0xcbf29ce484222325U;
};

}  // namespace halftone
