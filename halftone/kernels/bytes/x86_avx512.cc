// Internal linkage throughout: a function that other files share must not be compiled with these instructions.
#include <immintrin.h>

#include "halftone/kernels/bytes/bytes.h"

namespace halftone::kernels {
namespace {

struct Quantizing {
  explicit Quantizing(const QuantizeRule& rule)
      : scale(_mm512_set1_ps(rule.scale)),
        lo(_mm512_set1_ps(static_cast<float>(rule.lo - rule.zero_point))),
        hi(_mm512_set1_ps(static_cast<float>(rule.hi - rule.zero_point))),
        zero(_mm512_set1_epi32(rule.zero_point)) {}

  // 16 bytes; lanes outside of `mask` are whatever.
  __m128i operator()(const float* x, __mmask16 mask) {
    const __m512 v = _mm512_div_ps(_mm512_maskz_loadu_ps(mask, x), scale);
    no_number |= _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __m512i q = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(v, lo), hi));
    return _mm512_cvtepi32_epi8(_mm512_add_epi32(q, zero));
  }

  __m512 scale, lo, hi;
  __m512i zero;
  __mmask16 no_number = 0;
};

__mmask16 mask_of(std::int64_t left) { return left >= 16 ? __mmask16(0xFFFF) : static_cast<__mmask16>((1U << left) - 1U); }

// Two to four planes: 16 pixels of each make one register, whose bytes are then put in order.
void interleave(const float* x, std::ptrdiff_t x_plane, int planes, std::int64_t count, std::uint8_t* y, Quantizing& quantize) {
  alignas(64) std::uint8_t order[64] = {};
  for (int i = 0; i < 16 * planes; ++i) order[i] = static_cast<std::uint8_t>(i % planes * 16 + i / planes);
  const __m512i places = _mm512_load_si512(order);
  for (std::int64_t i = 0; i < count; i += 16) {
    const __mmask16 mask = mask_of(count - i);
    __m512i bytes = _mm512_castsi128_si512(quantize(x + i, mask));
    bytes = _mm512_inserti32x4(bytes, quantize(x + x_plane + i, mask), 1);
    if (planes > 2) bytes = _mm512_inserti32x4(bytes, quantize(x + 2 * x_plane + i, mask), 2);
    if (planes > 3) bytes = _mm512_inserti32x4(bytes, quantize(x + 3 * x_plane + i, mask), 3);
    const std::int64_t wanted = planes * (count - i < 16 ? count - i : 16);
    const __mmask64 store = wanted == 64 ? ~__mmask64{0} : (__mmask64{1} << wanted) - 1;
    _mm512_mask_storeu_epi8(y + i * planes, store, _mm512_permutexvar_epi8(places, bytes));
  }
}

bool quantize(const float* x, std::ptrdiff_t x_plane, std::int64_t planes, std::int64_t count, std::uint8_t* y, const QuantizeRule& rule) {
  Quantizing each(rule);
  if (planes >= 2 && planes <= 4) {
    interleave(x, x_plane, static_cast<int>(planes), count, y, each);
    return each.no_number == 0;
  }
  for (std::int64_t plane = 0; plane < planes; ++plane)
    for (std::int64_t i = 0; i < count; i += 16) {
      const __mmask16 mask = mask_of(count - i);
      const __m128i bytes = each(x + plane * x_plane + i, mask);
      if (planes == 1) {
        _mm_mask_storeu_epi8(y + i, mask, bytes);
        continue;
      }
      alignas(16) std::uint8_t some[16];
      _mm_store_si128(reinterpret_cast<__m128i*>(some), bytes);
      for (std::int64_t k = 0; k < 16 && i + k < count; ++k) y[(i + k) * planes + plane] = some[k];
    }
  return each.no_number == 0;
}

// m in halves of 16 bits, high·2^16 + low: two sums of words in 32 bits.
struct Adding {
  explicit Adding(const AddRule& rule)
      : shift(_mm_cvtsi32_si128(rule.shift - 16)), lo(_mm512_set1_epi8(static_cast<char>(rule.lo))), hi(_mm512_set1_epi8(static_cast<char>(rule.hi))) {
    const auto high_of = [](std::int64_t m) { return static_cast<std::int32_t>((m + 0x8000) >> 16); };
    const auto low_of = [&](std::int64_t m) { return static_cast<std::int32_t>(m - (static_cast<std::int64_t>(high_of(m)) << 16)); };
    const auto words = [](std::int32_t a, std::int32_t b) { return _mm512_set1_epi32(static_cast<int>((static_cast<std::uint32_t>(b) << 16) | (static_cast<std::uint32_t>(a) & 0xFFFFU))); };
    m_high = words(high_of(rule.m_a), high_of(rule.m_b));
    m_low = words(low_of(rule.m_a), low_of(rule.m_b));
    c_high = _mm512_set1_epi32(static_cast<int>(rule.c >> 16));
    c_low = _mm512_set1_epi32(static_cast<int>(rule.c & 0xFFFF));
  }
  __m512i sums(__m512i words) const {
    const __m512i high = _mm512_dpwssd_epi32(c_high, words, m_high);
    const __m512i low = _mm512_dpwssd_epi32(c_low, words, m_low);
    return _mm512_sra_epi32(_mm512_add_epi32(high, _mm512_srai_epi32(low, 16)), shift);
  }
  __m512i operator()(__m512i a, __m512i b) const {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i low = _mm512_unpacklo_epi8(a, b);
    const __m512i high = _mm512_unpackhi_epi8(a, b);
    const __m512i first = _mm512_packs_epi32(sums(_mm512_unpacklo_epi8(low, zero)), sums(_mm512_unpackhi_epi8(low, zero)));
    const __m512i second = _mm512_packs_epi32(sums(_mm512_unpacklo_epi8(high, zero)), sums(_mm512_unpackhi_epi8(high, zero)));
    return _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(first, second), lo), hi);
  }

  __m512i m_high, m_low, c_high, c_low;
  __m128i shift;
  __m512i lo, hi;
};

__mmask64 mask64_of(std::int64_t left) { return left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1; }

void add(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y, std::int64_t count, const AddRule& rule) {
  const Adding each(rule);
  for (std::int64_t i = 0; i < count; i += 64) {
    const __mmask64 mask = mask64_of(count - i);
    _mm512_mask_storeu_epi8(y + i, mask, each(_mm512_maskz_loadu_epi8(mask, a + i), _mm512_maskz_loadu_epi8(mask, b + i)));
  }
}

void largest(const WindowRun& run) {
  for (std::int64_t c = 0; c < run.channels; c += 64) {
    const __mmask64 mask = mask64_of(run.channels - c);
    for (std::int64_t p = 0; p < run.pixels; ++p) {
      const std::uint8_t* x = run.x + p * run.x_pixel + c;
      __m512i most = _mm512_setzero_si512();
      for (std::int64_t t = 0; t < run.tap_count; ++t) most = _mm512_max_epu8(most, _mm512_maskz_loadu_epi8(mask, x + run.taps[t]));
      _mm512_mask_storeu_epi8(run.y + p * run.y_pixel + c, mask, most);
    }
  }
}

}  // namespace

const ByteLoops kAvx512ByteLoops{quantize, add, largest};

}  // namespace halftone::kernels
