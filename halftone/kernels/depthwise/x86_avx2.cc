// Internal linkage but for two functions: others must not share what is compiled with these instructions.
#include <immintrin.h>

#include "halftone/kernels/depthwise/depthwise_sums.h"

namespace halftone::kernels {
namespace {

inline __m256i load(const void* numbers) { return _mm256_load_si256(static_cast<const __m256i*>(numbers)); }
inline __m256i words(const std::uint8_t* x) { return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x))); }

// Sums of channels 0 to 3 and 8 to 11, and those of the others: as words are put side by side.
struct Sums {
  __m256i first, second;

  explicit Sums(const std::int32_t* bias)
      : first(_mm256_permute2x128_si256(load(bias), load(bias + 8), 0x20)), second(_mm256_permute2x128_si256(load(bias), load(bias + 8), 0x31)) {}
  void add(__m256i x_first, __m256i x_second, const std::int16_t* w) {
    first = _mm256_add_epi32(first, _mm256_madd_epi16(x_first, load(w)));
    second = _mm256_add_epi32(second, _mm256_madd_epi16(x_second, load(w + 16)));
  }
  void store(std::int32_t* sums) const {
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums), _mm256_permute2x128_si256(first, second, 0x20));
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums + 8), _mm256_permute2x128_si256(first, second, 0x31));
  }
};

// The three inputs of a column, side by side with each other and with nothing.
struct Column {
  __m256i first01, second01, first2, second2;

  Column(const DepthwiseColumns& s, std::ptrdiff_t column) {
    const std::ptrdiff_t at = column * s.x_column;
    const __m256i x0 = words(s.rows[0] + at);
    const __m256i x1 = words(s.rows[1] + at);
    const __m256i x2 = words(s.rows[2] + at);
    const __m256i none = _mm256_setzero_si256();
    first01 = _mm256_unpacklo_epi16(x0, x1);
    second01 = _mm256_unpackhi_epi16(x0, x1);
    first2 = _mm256_unpacklo_epi16(x2, none);
    second2 = _mm256_unpackhi_epi16(x2, none);
  }
  void add_to(Sums& sums, const std::int16_t* w) const {
    sums.add(first01, second01, w);
    sums.add(first2, second2, w + 32);
  }
};

}  // namespace

// Each column of inputs goes to all sums that it is in: those wait for the next ones.
void sum_depthwise_columns_avx2(const DepthwiseColumns& s) {
  const Sums bias(s.bias);
  Sums a = bias;
  Sums b = bias;
  Column(s, 0).add_to(a, s.weights);
  if (s.stride == 2) {
    for (int p = 0; p < s.pixels; ++p) {
      Column(s, 2 * p + 1).add_to(a, s.weights + 64);
      const Column last(s, 2 * p + 2);
      last.add_to(a, s.weights + 128);
      a.store(s.sums + 16 * p);
      a = bias;
      last.add_to(a, s.weights);
    }
    return;
  }
  const Column second(s, 1);
  second.add_to(a, s.weights + 64);
  second.add_to(b, s.weights);
  for (int p = 0; p < s.pixels; ++p) {
    const Column next(s, p + 2);
    next.add_to(a, s.weights + 128);
    a.store(s.sums + 16 * p);
    a = b;
    next.add_to(a, s.weights + 64);
    b = bias;
    next.add_to(b, s.weights);
  }
}

// Words of two taps are put side by side, channel by channel.
void sum_depthwise_avx2(const DepthwisePairs& s) {
  for (int p = 0; p < s.pixels; ++p) {
    const std::uint8_t* x = s.x + p * s.x_pixel;
    Sums sums(s.bias);
    for (std::int64_t pair = 0; pair < s.pairs; ++pair) {
      const __m256i x0 = words(x + s.taps[2 * pair]);
      const __m256i x1 = words(x + s.taps[2 * pair + 1]);
      sums.add(_mm256_unpacklo_epi16(x0, x1), _mm256_unpackhi_epi16(x0, x1), s.weights + 32 * pair);
    }
    sums.store(s.sums + 16 * p);
  }
}

}  // namespace halftone::kernels
