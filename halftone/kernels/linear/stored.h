// How a layer's x or y is stored.
#pragma once

#include <cstddef>

namespace halftone::kernels {

// Unsigned bytes, or signed words of 16 bits. The number is that of an element's bytes.
enum class Stored { bytes = 1, words = 2 };

constexpr std::ptrdiff_t size_of(Stored stored) { return static_cast<std::ptrdiff_t>(stored); }

}  // namespace halftone::kernels
