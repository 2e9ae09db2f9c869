// Sums to bytes and words on AVX512. Nothing here has linkage but finish_avx512: a function that other files share must not be compiled with
// these instructions.
#include <immintrin.h>

#include "halftone/kernels/linear/sum_tile.h"
#include "halftone/kernels/x86_avx512_rounded.h"

namespace halftone::kernels {
namespace {

// Rounding and bounds in registers.
struct Ending {
  explicit Ending(const FinishRule& r)
      : rounding(r.rounding),
        zero(_mm512_set1_epi32(r.zero_point)),
        zero16(_mm512_set1_epi16(static_cast<short>(r.zero_point))),
        lo(_mm512_set1_epi32(r.lo)),
        hi(_mm512_set1_epi32(r.hi)),
        lo8(_mm512_set1_epi8(static_cast<char>(r.lo))),
        hi8(_mm512_set1_epi8(static_cast<char>(r.hi))) {}
  numeric::Rounding rounding;
  __m512i zero, zero16, lo, hi, lo8, hi8;
};

__m512i load(const std::int32_t* numbers) { return _mm512_load_si512(numbers); }

// The numbers of 16 columns in registers: stored bytes could else change them.
struct Column {
  explicit Column(const Columns& c) : m(load(c.m)), m_odd(load(c.m_odd)), shift(load(c.shift)) {}
  // ⌊acc·m·2^(1 − shift)⌋, shift >= 33: the high halves of 64-bit products, shifted on. The floor of a floor is the floor.
  __m512i twice_rounded_down(const std::int32_t* sums) const { return twice_rounded_down(load(sums)); }
  __m512i twice_rounded_down(__m512i acc) const {
    const __m512i even = _mm512_mul_epi32(acc, m);
    const __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(acc, 32), m_odd);
    return _mm512_srav_epi32(_mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_ENUM(0xB1)), shift);
  }
  __m512i m, m_odd, shift;
};

// (h + 1) >> 1, and the zero point: words, saturated.
inline __m512i halved(__m512i a, __m512i b, const Ending& ending) {
  const __m512i words = _mm512_packs_epi32(a, b);
  return _mm512_adds_epi16(_mm512_mulhrs_epi16(words, _mm512_set1_epi16(0x4000)), ending.zero16);
}

inline __m512i bounded8(__m512i bytes, const Ending& ending) {
  return _mm512_min_epu8(_mm512_max_epu8(bytes, ending.lo8), ending.hi8);
}

inline __m512i exact(__m512i acc, const Columns& c, const Ending& ending) {
  const auto half_of = [&](__m256i a, __m256i m, __m256i s) {
    const __m512i product = _mm512_mul_epi32(_mm512_cvtepi32_epi64(a), _mm512_cvtepi32_epi64(m));
    return _mm512_cvtsepi64_epi32(rounded64(product, _mm512_cvtepi32_epi64(s), ending.rounding));
  };
  const __m512i m = load(c.m);
  const __m512i s = load(c.shift);
  const __m256i low = half_of(_mm512_castsi512_si256(acc), _mm512_castsi512_si256(m), _mm512_castsi512_si256(s));
  const __m256i high =
      half_of(_mm512_extracti64x4_epi64(acc, 1), _mm512_extracti64x4_epi64(m, 1), _mm512_extracti64x4_epi64(s, 1));
  const __m512i y = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  // Within bounds less the zero point first: the sum cannot overflow then.
  const __m512i clamped = _mm512_min_epi32(_mm512_max_epi32(y, _mm512_sub_epi32(ending.lo, ending.zero)), _mm512_sub_epi32(ending.hi, ending.zero));
  return _mm512_add_epi32(clamped, ending.zero);
}

inline __m512i real(__m512i acc, const Columns& c, const Ending& ending) {
  const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_load_ps(c.M));
  const __m512 lo = _mm512_cvtepi32_ps(_mm512_sub_epi32(ending.lo, ending.zero));
  const __m512 hi = _mm512_cvtepi32_ps(_mm512_sub_epi32(ending.hi, ending.zero));
  const __m512i y = _mm512_cvt_roundps_epi32(_mm512_min_ps(_mm512_max_ps(product, lo), hi), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  return _mm512_add_epi32(y, ending.zero);
}

// Integers of 0 to 255 of each register's lanes, in the order of channels.
inline __m512i joined4(__m512i a, __m512i b, __m512i c, __m512i d) {
  return _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
}

// Four registers of sums to bytes: those of a lane of 16 bytes come from the same lane of each.
inline __m512i half_up(__m512i a, __m512i b, __m512i c, __m512i d, const Ending& ending) {
  return bounded8(_mm512_packus_epi16(halved(a, b, ending), halved(c, d, ending)), ending);
}

void half_up_4(const std::int32_t* sums, int pixels, const Columns* columns, const FinishRule& rule, std::uint8_t* y, std::ptrdiff_t y_pixel) {
  const Ending ending(rule);
  const Column c0(columns[0]), c1(columns[1]), c2(columns[2]), c3(columns[3]);
  const auto bytes = [&](int p) {
    const std::int32_t* s = sums + 64 * p;
    return half_up(c0.twice_rounded_down(s), c1.twice_rounded_down(s + 16), c2.twice_rounded_down(s + 32), c3.twice_rounded_down(s + 48), ending);
  };
  if (rule.channels == 64) {
    for (int p = 0; p < pixels; ++p) _mm512_storeu_si512(y + p * y_pixel, bytes(p));
    return;
  }
  const __mmask64 mask = (__mmask64{1} << rule.channels) - 1;
  for (int p = 0; p < pixels; ++p) _mm512_mask_storeu_epi8(y + p * y_pixel, mask, bytes(p));
}

// One register of sums to integers, in 32 bits.
template <Finish kFinish>
__m512i finished(__m512i acc, const Columns& c, const Ending& ending) {
  if constexpr (kFinish == Finish::half_up) {
    const __m512i rounded = _mm512_srai_epi32(_mm512_add_epi32(Column(c).twice_rounded_down(acc), _mm512_set1_epi32(1)), 1);
    return _mm512_min_epi32(_mm512_max_epi32(_mm512_add_epi32(rounded, ending.zero), ending.lo), ending.hi);
  }
  return kFinish == Finish::exact ? exact(acc, c, ending) : real(acc, c, ending);
}

// One pixel's sums of a panel to bytes in the low part of a register.
template <Finish kFinish, int kRegisters>
__m512i bytes_of(const std::int32_t* sums, const Columns* c, const Ending& ending) {
  const auto at = [&](int r) { return finished<kFinish>(load(sums + 16 * r), c[r], ending); };
  if constexpr (kRegisters == 4) return joined4(at(0), at(1), at(2), at(3));
  if constexpr (kRegisters == 2) return _mm512_castsi256_si512(_mm512_cvtepi16_epi8(_mm512_packs_epi32(at(0), at(1))));
  return _mm512_castsi128_si512(_mm512_cvtepi32_epi8(at(0)));
}

template <Finish kFinish, int kRegisters>
void finish(const std::int32_t* sums, int pixels, const Columns* columns, const FinishRule& rule, std::uint8_t* y, std::ptrdiff_t y_pixel) {
  const Ending ending(rule);
  const __mmask64 mask = rule.channels == 64 ? ~__mmask64{0} : (__mmask64{1} << rule.channels) - 1;
  for (int p = 0; p < pixels; ++p)
    _mm512_mask_storeu_epi8(y + p * y_pixel, mask, bytes_of<kFinish, kRegisters>(sums + p * 16 * kRegisters, columns, ending));
}

// Integers of 16 bits have no room to spare before the end: all in 32 bits.
template <Finish kFinish, int kRegisters>
void finish_words(const std::int32_t* sums, int pixels, const Columns* columns, const FinishRule& rule, std::uint8_t* y, std::ptrdiff_t y_pixel) {
  const Ending ending(rule);
  const __mmask64 mask = rule.channels == 64 ? ~__mmask64{0} : (__mmask64{1} << rule.channels) - 1;
  for (int p = 0; p < pixels; ++p, y += y_pixel) {
    __m512i s[4];
    for (int r = 0; r < kRegisters; ++r) s[r] = finished<kFinish>(_mm512_load_si512(sums + 16 * (kRegisters * p + r)), columns[r], ending);
    __m512i first = kRegisters == 1 ? _mm512_castsi256_si512(_mm512_cvtepi32_epi16(s[0])) : _mm512_packs_epi32(s[0], s[1]);
    if constexpr (kRegisters == 4) {
      const __m512i other = _mm512_packs_epi32(s[2], s[3]);
      const __m512i second = _mm512_permutex2var_epi64(first, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), other);
      first = _mm512_permutex2var_epi64(first, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), other);
      _mm512_mask_storeu_epi16(y + 64, static_cast<__mmask32>(mask >> 32), second);
    }
    _mm512_mask_storeu_epi16(y, static_cast<__mmask32>(mask), first);
  }
}

template <Finish kFinish>
FinishKernel kernel_for(int registers, Stored y) {
  if (y == Stored::words) return registers == 4 ? finish_words<kFinish, 4> : registers == 2 ? finish_words<kFinish, 2> : finish_words<kFinish, 1>;
  return registers == 4 ? finish<kFinish, 4> : registers == 2 ? finish<kFinish, 2> : finish<kFinish, 1>;
}

}  // namespace

FinishKernel finish_avx512(Finish kind, int registers, Stored y) {
  if (kind == Finish::half_up && y == Stored::bytes && registers == 4) return half_up_4;
  if (kind == Finish::half_up) return kernel_for<Finish::half_up>(registers, y);
  if (kind == Finish::exact) return kernel_for<Finish::exact>(registers, y);
  return kind == Finish::real ? kernel_for<Finish::real>(registers, y) : nullptr;
}

}  // namespace halftone::kernels
