// Bytes to words, and sums to bytes and words, on AVX2. Nothing here has linkage but widen_avx2 and finish_avx2: a function that other files
// share must not be compiled with these instructions.
#include <immintrin.h>

#include "halftone/kernels/linear/sum_tile.h"
#include "halftone/kernels/linear/wide_tile.h"

namespace halftone::kernels {
namespace {

// Rounding and bounds in registers.
struct Ending {
  explicit Ending(const FinishRule& r)
      : rounding(r.rounding),
        zero(_mm256_set1_epi32(r.zero_point)),
        zero16(_mm256_set1_epi16(static_cast<short>(r.zero_point))),
        lo(_mm256_set1_epi32(r.lo)),
        hi(_mm256_set1_epi32(r.hi)),
        lo8(_mm_set1_epi8(static_cast<char>(r.lo))),
        hi8(_mm_set1_epi8(static_cast<char>(r.hi))) {}
  numeric::Rounding rounding;
  __m256i zero, zero16, lo, hi;
  __m128i lo8, hi8;
};

// Registers of the sums of 8 columns and their numbers.
__m256i load(const std::int32_t* numbers) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(numbers)); }

// Words of two registers of 8 sums, as bytes in order.
inline __m128i bytes_of(__m256i words) {
  const __m256i bytes = _mm256_packus_epi16(words, words);
  return _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5)));
}

// ⌊acc·m·2^(1 − shift)⌋, shift >= 33: the high halves of 64-bit products, shifted on. The floor of a floor is the floor.
inline __m256i twice_rounded_down(__m256i acc, const Columns& c, int first) {
  const __m256i even = _mm256_mul_epi32(acc, load(c.m + first));
  const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(acc, 32), load(c.m_odd + first));
  const __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
  return _mm256_srav_epi32(high, load(c.shift + first));
}

// (h + 1) >> 1 and the zero point: words, saturated. `a` has the columns from 0 on, `b` those from `first_b` on.
inline __m128i half_up(__m256i a, __m256i b, int first_b, const Columns& c, const Ending& ending) {
  const __m256i words = _mm256_packs_epi32(twice_rounded_down(a, c, 0), twice_rounded_down(b, c, first_b));
  const __m256i rounded = _mm256_adds_epi16(_mm256_mulhrs_epi16(words, _mm256_set1_epi16(0x4000)), ending.zero16);
  return _mm_min_epu8(_mm_max_epu8(bytes_of(rounded), ending.lo8), ending.hi8);
}

// p >> s of 64-bit lanes with their sign.
inline __m256i shifted64(__m256i p, __m256i s) {
  const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
  return _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_xor_si256(p, sign), s), _mm256_srlv_epi64(sign, s));
}

// round(p·2^−s) of 64-bit lanes, 1 <= s <= 62, within [lo, hi].
inline __m256i rounded64(__m256i p, __m256i s, __m256i lo, __m256i hi, numeric::Rounding rounding) {
  const __m256i one = _mm256_set1_epi64x(1);
  const __m256i half = _mm256_sllv_epi64(one, _mm256_sub_epi64(s, one));
  const __m256i below = shifted64(p, s);
  const __m256i rest = _mm256_sub_epi64(p, _mm256_sllv_epi64(below, s));
  const __m256i tie = _mm256_cmpeq_epi64(rest, half);
  __m256i up = _mm256_cmpgt_epi64(rest, half);
  if (rounding == numeric::Rounding::half_even) up = _mm256_or_si256(up, _mm256_and_si256(tie, _mm256_cmpeq_epi64(_mm256_and_si256(below, one), one)));
  if (rounding == numeric::Rounding::half_away) up = _mm256_or_si256(up, _mm256_and_si256(tie, _mm256_cmpgt_epi64(p, _mm256_set1_epi64x(-1))));
  if (rounding == numeric::Rounding::half_up) up = _mm256_or_si256(up, tie);
  if (rounding == numeric::Rounding::floor) up = _mm256_setzero_si256();
  const __m256i y = _mm256_sub_epi64(below, up);
  const __m256i more = _mm256_blendv_epi8(y, lo, _mm256_cmpgt_epi64(lo, y));
  return _mm256_blendv_epi8(more, hi, _mm256_cmpgt_epi64(more, hi));
}

// Even lanes of a register of 32-bit numbers as 64-bit ones.
inline __m256i even64(__m256i numbers) { return _mm256_srli_epi64(_mm256_slli_epi64(numbers, 32), 32); }

inline __m256i exact(__m256i acc, const Columns& c, int first, const Ending& ending) {
  // Within bounds less the zero point first: the sum cannot overflow then.
  const __m256i lo = _mm256_sub_epi32(ending.lo, ending.zero);
  const __m256i hi = _mm256_sub_epi32(ending.hi, ending.zero);
  const __m256i lo64 = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(lo));
  const __m256i hi64 = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(hi));
  const __m256i m = load(c.m + first);
  const __m256i s = load(c.shift + first);
  const __m256i even = rounded64(_mm256_mul_epi32(acc, m), even64(s), lo64, hi64, ending.rounding);
  const __m256i odd =
      rounded64(_mm256_mul_epi32(_mm256_srli_epi64(acc, 32), _mm256_srli_epi64(m, 32)), _mm256_srli_epi64(s, 32), lo64, hi64, ending.rounding);
  return _mm256_add_epi32(_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA), ending.zero);
}

inline __m256i real(__m256i acc, const Columns& c, int first, const Ending& ending) {
  const __m256 product = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_load_ps(c.M + first));
  const __m256 lo = _mm256_cvtepi32_ps(_mm256_sub_epi32(ending.lo, ending.zero));
  const __m256 hi = _mm256_cvtepi32_ps(_mm256_sub_epi32(ending.hi, ending.zero));
  const __m256 y = _mm256_round_ps(_mm256_min_ps(_mm256_max_ps(product, lo), hi), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  return _mm256_add_epi32(_mm256_cvtps_epi32(y), ending.zero);
}

// Sums of 8 columns from 0 on and of 8 from `first_b` on.
template <Finish kFinish>
inline __m128i finished(const std::int32_t* sums_a, const std::int32_t* sums_b, int first_b, const Columns& c, const Ending& ending) {
  const __m256i a = load(sums_a);
  const __m256i b = load(sums_b);
  if constexpr (kFinish == Finish::half_up) return half_up(a, b, first_b, c, ending);
  if constexpr (kFinish == Finish::exact) return bytes_of(_mm256_packs_epi32(exact(a, c, 0, ending), exact(b, c, first_b, ending)));
  return bytes_of(_mm256_packs_epi32(real(a, c, 0, ending), real(b, c, first_b, ending)));
}

inline void store16(std::uint8_t* y, __m128i bytes) { _mm_storeu_si128(reinterpret_cast<__m128i*>(y), bytes); }

// The first `count` bytes: those behind belong to others.
inline void store_some(std::uint8_t* y, __m128i bytes, int count) {
  alignas(16) std::uint8_t all[16];
  store16(all, bytes);
  for (int i = 0; i < count; ++i) y[i] = all[i];
}

// Up to 8 channels, two pixels at once. Where pixels follow one another, what is stored behind one is written over by the next.
template <Finish kFinish>
void finish_few(const std::int32_t* sums, int pixels, const Columns& c, const Ending& ending, int channels, std::uint8_t* y, std::ptrdiff_t y_pixel) {
  int p = 0;
  if (y_pixel == channels)
    for (; (p + 1) * channels + 8 <= pixels * channels; p += 2) {
      const __m128i both = finished<kFinish>(sums + 16 * p, sums + 16 * p + 16, 0, c, ending);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(y + p * y_pixel), both);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(y + (p + 1) * y_pixel), _mm_srli_si128(both, 8));
    }
  for (; p < pixels; ++p) store_some(y + p * y_pixel, finished<kFinish>(sums + 16 * p, sums + 16 * p, 0, c, ending), channels);
}

// Sums of 8 columns, in 32 bits: integers of 16 bits have no room to spare before the end.
template <Finish kFinish>
inline __m256i finished32(const std::int32_t* sums, int first, const Columns& c, const Ending& ending) {
  if constexpr (kFinish == Finish::exact) return exact(load(sums), c, first, ending);
  if constexpr (kFinish == Finish::real) return real(load(sums), c, first, ending);
  const __m256i twice = twice_rounded_down(load(sums), c, first);
  const __m256i rounded = _mm256_srai_epi32(_mm256_add_epi32(twice, _mm256_set1_epi32(1)), 1);
  return _mm256_min_epi32(_mm256_max_epi32(_mm256_add_epi32(rounded, ending.zero), ending.lo), ending.hi);
}

template <Finish kFinish>
void finish_words(const std::int32_t* sums, int pixels, const Columns* columns, const FinishRule& rule, std::uint8_t* y, std::ptrdiff_t y_pixel) {
  const Ending ending(rule);
  for (int p = 0; p < pixels; ++p, sums += 16, y += y_pixel) {
    const __m256i a = finished32<kFinish>(sums, 0, *columns, ending);
    const __m256i b = rule.channels > 8 ? finished32<kFinish>(sums + 8, 8, *columns, ending) : a;
    alignas(32) std::int16_t words[16];
    const __m256i in_order = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8);
    if (rule.channels == 16) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), in_order);
      continue;
    }
    _mm256_store_si256(reinterpret_cast<__m256i*>(words), in_order);
    __builtin_memcpy(y, words, 2 * static_cast<std::size_t>(rule.channels));
  }
}

template <Finish kFinish>
void finish(const std::int32_t* sums, int pixels, const Columns* columns, const FinishRule& rule, std::uint8_t* y, std::ptrdiff_t y_pixel) {
  const Ending ending(rule);
  if (rule.channels <= 8) return finish_few<kFinish>(sums, pixels, *columns, ending, rule.channels, y, y_pixel);
  for (int p = 0; p < pixels; ++p) {
    const __m128i bytes = finished<kFinish>(sums + 16 * p, sums + 16 * p + 8, 8, *columns, ending);
    if (rule.channels == 16)
      store16(y + p * y_pixel, bytes);
    else
      store_some(y + p * y_pixel, bytes, rule.channels);
  }
}

template <Finish kFinish>
FinishKernel kernel_for(Stored y) {
  return y == Stored::words ? finish_words<kFinish> : finish<kFinish>;
}

}  // namespace

FinishKernel finish_avx2(Finish kind, int registers, Stored y) {
  if (registers != 1 || kind == Finish::plain) return nullptr;
  if (kind == Finish::half_up) return kernel_for<Finish::half_up>(y);
  return kind == Finish::exact ? kernel_for<Finish::exact>(y) : kernel_for<Finish::real>(y);
}

void widen_avx2(const std::uint8_t* x, std::int16_t* y, std::int64_t count) {
  const auto sixteen = [&](std::int64_t i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), _mm256_cvtepu8_epi16(bytes));
  };
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) sixteen(i);
  if (i == count) return;
  if (count > 16) return sixteen(count - 16);
  for (; i < count; ++i) y[i] = x[i];
}

}  // namespace halftone::kernels
