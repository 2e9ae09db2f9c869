// Rounding in lanes of 64 bits. Internal linkage: each file that has these instructions has its own.
#pragma once

#include <immintrin.h>

#include "halftone/numeric/rounding.h"

namespace halftone::kernels {
namespace {

// round(p·2^−s), 1 <= s <= 62.
inline __m512i rounded64(__m512i p, __m512i s, numeric::Rounding rounding) {
  const __m512i one = _mm512_set1_epi64(1);
  const __m512i half = _mm512_sllv_epi64(one, _mm512_sub_epi64(s, one));
  const __m512i below = _mm512_srav_epi64(p, s);
  const __m512i rest = _mm512_sub_epi64(p, _mm512_sllv_epi64(below, s));
  __mmask8 up = _mm512_cmpgt_epi64_mask(rest, half);
  const __mmask8 tie = _mm512_cmpeq_epi64_mask(rest, half);
  if (rounding == numeric::Rounding::half_even) up |= tie & _mm512_test_epi64_mask(below, one);
  if (rounding == numeric::Rounding::half_away) up |= tie & _mm512_cmpge_epi64_mask(p, _mm512_setzero_si512());
  if (rounding == numeric::Rounding::half_up) up |= tie;
  if (rounding == numeric::Rounding::floor) up = 0;
  return _mm512_mask_add_epi64(below, up, below, one);
}

}  // namespace
}  // namespace halftone::kernels
