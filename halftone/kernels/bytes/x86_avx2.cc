// Internal linkage throughout: a function that other files share must not be compiled with these instructions.
#include <immintrin.h>

#include "halftone/kernels/bytes/bytes.h"

namespace halftone::kernels {
namespace {

__m128i load16(const std::uint8_t* x) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x)); }
__m256i load32(const std::uint8_t* x) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)); }
void store16(std::uint8_t* y, __m128i bytes) { _mm_storeu_si128(reinterpret_cast<__m128i*>(y), bytes); }
void store32(std::uint8_t* y, __m256i bytes) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), bytes); }

struct Quantizing {
  explicit Quantizing(const QuantizeRule& rule)
      : scale(_mm256_set1_ps(rule.scale)),
        lo(_mm256_set1_ps(static_cast<float>(rule.lo - rule.zero_point))),
        hi(_mm256_set1_ps(static_cast<float>(rule.hi - rule.zero_point))),
        zero(_mm256_set1_epi32(rule.zero_point)) {}

  __m256i eight(const float* x) {
    const __m256 v = _mm256_div_ps(_mm256_loadu_ps(x), scale);
    no_number = _mm256_or_ps(no_number, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const __m256 bounded = _mm256_min_ps(_mm256_max_ps(v, lo), hi);
    return _mm256_add_epi32(_mm256_cvtps_epi32(bounded), zero);
  }
  // 16 bytes, of which `count` are asked for and those behind are whatever.
  __m128i operator()(const float* x, std::int64_t count) {
    if (count >= 16) return sixteen(x);
    alignas(32) float some[16] = {};
    for (std::int64_t i = 0; i < count; ++i) some[i] = x[i];
    return sixteen(some);
  }
  __m128i sixteen(const float* x) {
    const __m256i words = _mm256_packs_epi32(eight(x), eight(x + 8));
    const __m256i bytes = _mm256_packus_epi16(words, words);
    return _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5)));
  }

  __m256 scale, lo, hi;
  __m256i zero;
  __m256 no_number = _mm256_setzero_ps();
};

void store_some(std::uint8_t* y, __m128i bytes, std::int64_t count) {
  if (count >= 16) return store16(y, bytes);
  alignas(16) std::uint8_t all[16];
  store16(all, bytes);
  for (std::int64_t i = 0; i < count; ++i) y[i] = all[i];
}

// Byte i of register `part` of three interleaved planes is byte (16·part + i)/3 of plane (16·part + i)%3.
struct InThrees {
  constexpr InThrees() {
    for (int part = 0; part < 3; ++part)
      for (int plane = 0; plane < 3; ++plane)
        for (int i = 0; i < 16; ++i) {
          const int at = 16 * part + i;
          places[part][plane][i] = static_cast<std::uint8_t>(at % 3 == plane ? at / 3 : 0x80);
        }
  }
  __m128i operator()(int part, __m128i a, __m128i b, __m128i c) const {
    const auto from = [&](int plane, __m128i bytes) { return _mm_shuffle_epi8(bytes, load16(places[part][plane])); };
    return _mm_or_si128(_mm_or_si128(from(0, a), from(1, b)), from(2, c));
  }
  std::uint8_t places[3][3][16] = {};
};
constexpr InThrees kInThrees;

void quantize_threes(const float* x, std::ptrdiff_t x_plane, std::int64_t count, std::uint8_t* y, Quantizing& each) {
  for (std::int64_t i = 0; i < count; i += 16, y += 48) {
    const std::int64_t left = count - i;
    const __m128i a = each(x + i, left);
    const __m128i b = each(x + x_plane + i, left);
    const __m128i c = each(x + 2 * x_plane + i, left);
    for (int part = 0; part < 3; ++part)
      if (3 * left > 16 * part) store_some(y + 16 * part, kInThrees(part, a, b, c), 3 * left - 16 * part);
  }
}

bool quantize(const float* x, std::ptrdiff_t x_plane, std::int64_t planes, std::int64_t count, std::uint8_t* y, const QuantizeRule& rule) {
  Quantizing each(rule);
  if (planes == 3) {
    quantize_threes(x, x_plane, count, y, each);
  } else {
    for (std::int64_t plane = 0; plane < planes; ++plane)
      for (std::int64_t i = 0; i < count; i += 16) {
        const __m128i bytes = each(x + plane * x_plane + i, count - i);
        if (planes == 1) {
          store_some(y + i, bytes, count - i);
          continue;
        }
        alignas(16) std::uint8_t some[16];
        store16(some, bytes);
        for (std::int64_t k = 0; k < 16 && i + k < count; ++k) y[(i + k) * planes + plane] = some[k];
      }
  }
  return _mm256_testz_si256(_mm256_castps_si256(each.no_number), _mm256_castps_si256(each.no_number)) != 0;
}

// m in halves of 16 bits, high·2^16 + low: two sums of words in 32 bits.
struct Adding {
  explicit Adding(const AddRule& rule)
      : shift(_mm_cvtsi32_si128(rule.shift - 16)), lo(_mm256_set1_epi8(static_cast<char>(rule.lo))), hi(_mm256_set1_epi8(static_cast<char>(rule.hi))) {
    const auto high_of = [](std::int64_t m) { return static_cast<std::int32_t>((m + 0x8000) >> 16); };
    const auto low_of = [&](std::int64_t m) { return static_cast<std::int32_t>(m - (static_cast<std::int64_t>(high_of(m)) << 16)); };
    const auto words = [](std::int32_t a, std::int32_t b) {
      return _mm256_set1_epi32(static_cast<int>((static_cast<std::uint32_t>(b) << 16) | (static_cast<std::uint32_t>(a) & 0xFFFFU)));
    };
    m_high = words(high_of(rule.m_a), high_of(rule.m_b));
    m_low = words(low_of(rule.m_a), low_of(rule.m_b));
    c_high = _mm256_set1_epi32(static_cast<int>(rule.c >> 16));
    c_low = _mm256_set1_epi32(static_cast<int>(rule.c & 0xFFFF));
  }
  __m256i sums(__m256i words) const {
    const __m256i high = _mm256_add_epi32(c_high, _mm256_madd_epi16(words, m_high));
    const __m256i low = _mm256_add_epi32(c_low, _mm256_madd_epi16(words, m_low));
    return _mm256_sra_epi32(_mm256_add_epi32(high, _mm256_srai_epi32(low, 16)), shift);
  }
  __m256i operator()(__m256i a, __m256i b) const {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i low = _mm256_unpacklo_epi8(a, b);
    const __m256i high = _mm256_unpackhi_epi8(a, b);
    const __m256i first = _mm256_packs_epi32(sums(_mm256_unpacklo_epi8(low, zero)), sums(_mm256_unpackhi_epi8(low, zero)));
    const __m256i second = _mm256_packs_epi32(sums(_mm256_unpacklo_epi8(high, zero)), sums(_mm256_unpackhi_epi8(high, zero)));
    return _mm256_min_epu8(_mm256_max_epu8(_mm256_packus_epi16(first, second), lo), hi);
  }

  __m256i m_high, m_low, c_high, c_low;
  __m128i shift;
  __m256i lo, hi;
};

void add(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y, std::int64_t count, const AddRule& rule) {
  const Adding each(rule);
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) store32(y + i, each(load32(a + i), load32(b + i)));
  if (i == count) return;
  alignas(32) std::uint8_t some[2][32] = {};
  for (std::int64_t k = i; k < count; ++k) {
    some[0][k - i] = a[k];
    some[1][k - i] = b[k];
  }
  store32(some[0], each(load32(some[0]), load32(some[1])));
  for (std::int64_t k = i; k < count; ++k) y[k] = some[0][k - i];
}

__m128i largest16(const WindowRun& run, const std::uint8_t* x) {
  __m128i most = _mm_setzero_si128();
  for (std::int64_t t = 0; t < run.tap_count; ++t) most = _mm_max_epu8(most, load16(x + run.taps[t]));
  return most;
}

void largest(const WindowRun& run) {
  // The next pixels overwrite what is stored behind one of few channels.
  const bool may_spill = run.channels < 16 && run.y_pixel == run.channels;
  for (std::int64_t p = 0; p < run.pixels; ++p) {
    const std::uint8_t* x = run.x + p * run.x_pixel;
    std::uint8_t* y = run.y + p * run.y_pixel;
    std::int64_t c = 0;
    for (; c + 32 <= run.channels; c += 32) {
      __m256i most = _mm256_setzero_si256();
      for (std::int64_t t = 0; t < run.tap_count; ++t) most = _mm256_max_epu8(most, load32(x + c + run.taps[t]));
      store32(y + c, most);
    }
    for (; c < run.channels; c += 16) store_some(y + c, largest16(run, x + c), may_spill ? (run.pixels - p) * run.channels : run.channels - c);
  }
}

void sum(const std::uint8_t* x, std::ptrdiff_t x_pixel, std::int64_t pixels, std::int64_t channels, std::int32_t* sums) {
  std::int64_t c = 0;
  for (; c + 8 <= channels; c += 8) {
    auto* to = reinterpret_cast<__m256i*>(sums + c);
    __m256i all = _mm256_loadu_si256(to);
    for (std::int64_t p = 0; p < pixels; ++p)
      all = _mm256_add_epi32(all, _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(x + p * x_pixel + c))));
    _mm256_storeu_si256(to, all);
  }
  for (; c < channels; ++c)
    for (std::int64_t p = 0; p < pixels; ++p) sums[c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[c]) + x[p * x_pixel + c]);
}

// Sixteen shuffles of 16 entries take longer than loads.
void look_up(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = table[x[i]];
}

}  // namespace

const ByteLoops kAvx2ByteLoops{quantize, add, largest, sum, look_up};

}  // namespace halftone::kernels
