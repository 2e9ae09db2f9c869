#include "halftone/base/digest.h"

#include <fmt/format.h>

namespace halftone {

void Digest::add(std::span<const std::byte> piece) {
  for (std::size_t shift = 0; shift < 64; shift += 8)
    mix(static_cast<std::byte>(piece.size() >> shift & 0xffU));
  for (std::byte b : piece) mix(b);
}

std::string Digest::text() const { return fmt::format("{:016x}", state_); }

}  // namespace halftone
