// Loops over words of 16 bits that need no sums over a window.
#pragma once

#include <cstdint>

#include "halftone/kernels/isa.h"
#include "halftone/numeric/requantize.h"

namespace halftone::kernels {

// y = clamp(round((m_a·a + m_b·b + c)·2^−shift) + zero point), a and b as they are stored: c holds their zero points.
struct SumRule {
  std::int64_t m_a = 0;
  std::int64_t m_b = 0;
  std::int64_t c = 0;
  int shift = 1;  // 1 to 62
  numeric::Rounding rounding = numeric::Rounding::half_even;
  numeric::OutputBounds bounds;

  // Without branches: which way a sum rounds is anybody's guess.
  std::int32_t operator()(std::int32_t a, std::int32_t b) const {
    const std::int64_t sum = m_a * a + m_b * b + c;
    const std::int64_t below = sum >> shift;
    const std::int64_t rest = sum - (below << shift);
    const std::int64_t half = std::int64_t{1} << (shift - 1);
    const bool tie_goes_up = rounding == numeric::Rounding::half_even ? (below & 1) != 0 : rounding == numeric::Rounding::half_away ? sum >= 0 : true;
    const int up = static_cast<int>(rest > half) | static_cast<int>((rest == half) & tie_goes_up);
    return static_cast<std::int32_t>(numeric::add_zero_point_and_saturate(below + (rounding == numeric::Rounding::floor ? 0 : up), bounds));
  }
};

using AddWords = void (*)(const std::int16_t* a, const std::int16_t* b, std::int16_t* y, std::int64_t count, const SumRule& rule);

AddWords add_words(Isa isa);

void add_words_avx512(const std::int16_t* a, const std::int16_t* b, std::int16_t* y, std::int64_t count, const SumRule& rule);

}  // namespace halftone::kernels
