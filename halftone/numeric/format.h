// Integer formats: how many bits, signed or not, and the values that are allowed. docs/arithmetic.md
// section 1.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "halftone/base/dtype.h"

namespace halftone::numeric {

inline constexpr int kMaxBits = 16;

// An integer of `bits` bits, 1 <= bits <= 16:
//   signed          [−2^(b−1), 2^(b−1)−1]
//   signed, narrow  [−(2^(b−1)−1), 2^(b−1)−1], b >= 2 ("restricted": symmetric about zero)
//   unsigned        [0, 2^b−1]
struct IntegerFormat {
  int bits = 8;
  bool is_signed = true;
  bool narrow = false;

  constexpr std::int32_t qmin() const {
    if (!is_signed) return 0;
    return -(std::int32_t{1} << (bits - 1)) + (narrow ? 1 : 0);
  }
  constexpr std::int32_t qmax() const { return (std::int32_t{1} << (bits - (is_signed ? 1 : 0))) - 1; }
  bool operator==(const IntegerFormat&) const = default;
};

// Throws UsageError unless 1 <= bits <= 16, and narrow only for signed formats of at least 2 bits.
void check(const IntegerFormat& format);

// "int8", "uint4", "int8 narrow".
std::string name_of(const IntegerFormat& format);

// The smallest ONNX type that holds the format: 2, 4, 8 or 16 bits.
DType storage_dtype(const IntegerFormat& format);

inline std::int64_t saturate(std::int64_t x, std::int64_t lo, std::int64_t hi) {
  return std::clamp(x, lo, hi);
}

// The low `bits` bits of x read as the format: what hardware without saturation keeps. For study.
std::int64_t wrap(std::int64_t x, const IntegerFormat& format);

}  // namespace halftone::numeric
