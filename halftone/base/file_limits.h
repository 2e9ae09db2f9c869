// A limit that no file passes.
#pragma once

#include <cstddef>

namespace halftone {

// Files and unpacked gzip contents larger than this are refused.
inline constexpr std::size_t kMaxFileBytes = std::size_t{8} << 30;

}  // namespace halftone
