// Internal linkage throughout: a function that other files share must not be compiled with these instructions.
#include <immintrin.h>

#include "halftone/kernels/bytes/bytes.h"

namespace halftone::kernels {
namespace {

__mmask64 mask64_of(std::int64_t left) { return left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1; }

// A product with 1/scale is within 2^-12 of the quotient where that is below 512, and rounds as it does unless it lies so close to
// a half. There, and for NaN, the division itself is made.
struct Quantizing {
  explicit Quantizing(const QuantizeRule& rule)
      : scale(_mm512_set1_ps(rule.scale)),
        inverse(_mm512_set1_ps(1.0F / rule.scale)),
        least_close(_mm512_set1_ps(rule.scale > 0x1p-100F && rule.scale < 0x1p100F ? 0.5F - 0x1p-12F : 0.0F)),
        lo(_mm512_set1_ps(static_cast<float>(rule.lo - rule.zero_point))),
        hi(_mm512_set1_ps(static_cast<float>(rule.hi - rule.zero_point))),
        zero(_mm512_set1_epi32(rule.zero_point)) {}

  // 16 integers; lanes outside of `mask` are whatever.
  __m512i integers(const float* x, __mmask16 mask) {
    const __m512 given = _mm512_maskz_loadu_ps(mask, x);
    __m512 v = _mm512_mul_ps(given, inverse);
    const __m512 rest = _mm512_reduce_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    if (_mm512_cmp_ps_mask(_mm512_abs_ps(rest), least_close, _CMP_NLT_UQ) != 0) v = quotient(given);
    return _mm512_add_epi32(_mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(v, lo), hi)), zero);
  }
  __m512 quotient(__m512 x) {
    const __m512 v = _mm512_div_ps(x, scale);
    no_number |= _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    return v;
  }
  __m128i operator()(const float* x, __mmask16 mask) { return _mm512_cvtepi32_epi8(integers(x, mask)); }
  // 64 bytes.
  __m512i operator()(const float* x) {
    constexpr __mmask16 kAll = 0xFFFF;
    const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const __m512i low = _mm512_packs_epi32(integers(x, kAll), integers(x + 16, kAll));
    const __m512i high = _mm512_packs_epi32(integers(x + 32, kAll), integers(x + 48, kAll));
    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
  }

  __m512 scale, inverse, least_close, lo, hi;
  __m512i zero;
  __mmask16 no_number = 0;
};

__mmask16 mask_of(std::int64_t left) { return left >= 16 ? __mmask16(0xFFFF) : static_cast<__mmask16>((1U << left) - 1U); }

// Byte i of interleaved planes is byte i / planes of plane i % planes, whose 16 bytes stand in a quarter of a register.
struct Interleaving {
  explicit constexpr Interleaving(int planes) {
    for (int i = 0; i < 16 * planes; ++i) order[i] = static_cast<std::uint8_t>(i % planes * 16 + i / planes);
  }
  alignas(64) std::uint8_t order[64] = {};
};
constexpr Interleaving kInterleavings[] = {Interleaving(2), Interleaving(3), Interleaving(4)};

// Two to four planes: 16 pixels of each make one register, whose bytes are then put in order.
void interleave(const float* x, std::ptrdiff_t x_plane, int planes, std::int64_t count, std::uint8_t* y, Quantizing& quantize) {
  const __m512i places = _mm512_load_si512(kInterleavings[planes - 2].order);
  for (std::int64_t i = 0; i < count; i += 16) {
    const __mmask16 mask = mask_of(count - i);
    __m512i bytes = _mm512_castsi128_si512(quantize(x + i, mask));
    bytes = _mm512_inserti32x4(bytes, quantize(x + x_plane + i, mask), 1);
    if (planes > 2) bytes = _mm512_inserti32x4(bytes, quantize(x + 2 * x_plane + i, mask), 2);
    if (planes > 3) bytes = _mm512_inserti32x4(bytes, quantize(x + 3 * x_plane + i, mask), 3);
    _mm512_mask_storeu_epi8(y + i * planes, mask64_of(planes * (count - i < 16 ? count - i : 16)), _mm512_permutexvar_epi8(places, bytes));
  }
}

void quantize_plane(const float* x, std::int64_t count, std::uint8_t* y, Quantizing& quantize) {
  std::int64_t i = 0;
  for (; i + 64 <= count; i += 64) _mm512_storeu_si512(y + i, quantize(x + i));
  for (; i < count; i += 16) _mm_mask_storeu_epi8(y + i, mask_of(count - i), quantize(x + i, mask_of(count - i)));
}

bool quantize(const float* x, std::ptrdiff_t x_plane, std::int64_t planes, std::int64_t count, std::uint8_t* y, const QuantizeRule& rule) {
  Quantizing each(rule);
  if (planes == 1) {
    quantize_plane(x, count, y, each);
  } else if (planes <= 4) {
    interleave(x, x_plane, static_cast<int>(planes), count, y, each);
  } else {
    for (std::int64_t plane = 0; plane < planes; ++plane)
      for (std::int64_t i = 0; i < count; i += 16) {
        alignas(16) std::uint8_t some[16];
        _mm_store_si128(reinterpret_cast<__m128i*>(some), each(x + plane * x_plane + i, mask_of(count - i)));
        for (std::int64_t k = 0; k < 16 && i + k < count; ++k) y[(i + k) * planes + plane] = some[k];
      }
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

void add(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y, std::int64_t count, const AddRule& rule) {
  const Adding each(rule);
  for (std::int64_t i = 0; i < count; i += 64) {
    const __mmask64 mask = mask64_of(count - i);
    _mm512_mask_storeu_epi8(y + i, mask, each(_mm512_maskz_loadu_epi8(mask, a + i), _mm512_maskz_loadu_epi8(mask, b + i)));
  }
}

// Loads are no wider than they have to be: those of 64 bytes mostly lie in two lines of the cache.
struct Of64 {
  static __m512i zero() { return _mm512_setzero_si512(); }
  static __m512i larger(__m512i most, __mmask64 mask, const std::uint8_t* x) { return _mm512_max_epu8(most, _mm512_maskz_loadu_epi8(mask, x)); }
  static void store(std::uint8_t* y, __mmask64 mask, __m512i bytes) { _mm512_mask_storeu_epi8(y, mask, bytes); }
};
struct Of16 {
  static __m128i zero() { return _mm_setzero_si128(); }
  static __m128i larger(__m128i most, __mmask64 mask, const std::uint8_t* x) { return _mm_max_epu8(most, _mm_maskz_loadu_epi8(static_cast<__mmask16>(mask), x)); }
  static void store(std::uint8_t* y, __mmask64 mask, __m128i bytes) { _mm_mask_storeu_epi8(y, static_cast<__mmask16>(mask), bytes); }
};

template <typename Width>
void largest_of(const WindowRun& run, std::int64_t c, __mmask64 mask) {
  for (std::int64_t p = 0; p < run.pixels; ++p) {
    const std::uint8_t* x = run.x + p * run.x_pixel + c;
    auto most = Width::zero();
    for (std::int64_t t = 0; t < run.tap_count; ++t) most = Width::larger(most, mask, x + run.taps[t]);
    Width::store(run.y + p * run.y_pixel + c, mask, most);
  }
}

void largest(const WindowRun& run) {
  for (std::int64_t c = 0; c < run.channels; c += 64) {
    const __mmask64 mask = mask64_of(run.channels - c);
    if (run.channels - c <= 16)
      largest_of<Of16>(run, c, mask);
    else
      largest_of<Of64>(run, c, mask);
  }
}

void sum(const std::uint8_t* x, std::ptrdiff_t x_pixel, std::int64_t pixels, std::int64_t channels, std::int32_t* sums) {
  for (std::int64_t c = 0; c < channels; c += 16) {
    const __mmask16 mask = mask_of(channels - c);
    __m512i all = _mm512_maskz_loadu_epi32(mask, sums + c);
    for (std::int64_t p = 0; p < pixels; ++p) all = _mm512_add_epi32(all, _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, x + p * x_pixel + c)));
    _mm512_mask_storeu_epi32(sums + c, mask, all);
  }
}

// Two halves of the table, of which the entry's highest bit chooses.
void look_up(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t count) {
  const __m512i t0 = _mm512_loadu_si512(table);
  const __m512i t1 = _mm512_loadu_si512(table + 64);
  const __m512i t2 = _mm512_loadu_si512(table + 128);
  const __m512i t3 = _mm512_loadu_si512(table + 192);
  for (std::int64_t i = 0; i < count; i += 64) {
    const __mmask64 mask = mask64_of(count - i);
    const __m512i entry = _mm512_maskz_loadu_epi8(mask, x + i);
    const __m512i low = _mm512_permutex2var_epi8(t0, entry, t1);
    const __m512i high = _mm512_permutex2var_epi8(t2, entry, t3);
    _mm512_mask_storeu_epi8(y + i, mask, _mm512_mask_blend_epi8(_mm512_movepi8_mask(entry), low, high));
  }
}

}  // namespace

const ByteLoops kAvx512ByteLoops{quantize, add, largest, sum, look_up};

}  // namespace halftone::kernels
