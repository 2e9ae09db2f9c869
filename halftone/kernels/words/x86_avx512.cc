// Internal linkage but for one function: others must not share what is compiled with these instructions.
#include <immintrin.h>

#include "halftone/kernels/words/words.h"
#include "halftone/kernels/x86_avx512_rounded.h"

namespace halftone::kernels {
namespace {

// Eight sums in lanes of 64 bits. Multipliers may have more than 32 bits.
struct Adding {
  explicit Adding(const SumRule& rule)
      : m_a(_mm512_set1_epi64(rule.m_a)),
        m_b(_mm512_set1_epi64(rule.m_b)),
        c(_mm512_set1_epi64(rule.c)),
        zero(_mm512_set1_epi64(rule.bounds.zero_point)),
        lo(_mm512_set1_epi64(std::int64_t{rule.bounds.lo} - rule.bounds.zero_point)),
        hi(_mm512_set1_epi64(std::int64_t{rule.bounds.hi} - rule.bounds.zero_point)),
        shift(_mm512_set1_epi64(rule.shift)),
        rounding(rule.rounding) {}

  __m128i operator()(__m128i a, __m128i b) const {
    const __m512i products = _mm512_add_epi64(_mm512_mullo_epi64(_mm512_cvtepi16_epi64(a), m_a), _mm512_mullo_epi64(_mm512_cvtepi16_epi64(b), m_b));
    const __m512i rounded = rounded64(_mm512_add_epi64(products, c), shift, rounding);
    return _mm512_cvtepi64_epi16(_mm512_add_epi64(_mm512_min_epi64(_mm512_max_epi64(rounded, lo), hi), zero));
  }

  __m512i m_a, m_b, c, zero, lo, hi, shift;
  numeric::Rounding rounding;
};

}  // namespace

void add_words_avx512(const std::int16_t* a, const std::int16_t* b, std::int16_t* y, std::int64_t count, const SumRule& rule) {
  const Adding each(rule);
  for (std::int64_t i = 0; i < count; i += 8) {
    const __mmask8 mask = count - i >= 8 ? __mmask8(0xFF) : static_cast<__mmask8>((1U << (count - i)) - 1U);
    _mm_mask_storeu_epi16(y + i, mask, each(_mm_maskz_loadu_epi16(mask, a + i), _mm_maskz_loadu_epi16(mask, b + i)));
  }
}

}  // namespace halftone::kernels
