// Internal linkage but for one function: others must not share what is compiled with these instructions.
#include <immintrin.h>

#include "halftone/kernels/depthwise/depthwise_sums.h"

namespace halftone::kernels {

// Words of two taps are put side by side, channel by channel.
void sum_depthwise_avx2(const DepthwisePairs& s) {
  const auto load = [](const void* numbers) { return _mm256_load_si256(static_cast<const __m256i*>(numbers)); };
  const auto words = [](const std::uint8_t* x) { return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x))); };
  const std::uint8_t* x = s.x;
  std::int32_t* sums = s.sums;
  for (int p = 0; p < s.pixels; ++p, x += s.x_pixel, sums += 16) {
    // Channels 0 to 3 and 8 to 11, and the others: as words are put side by side.
    const __m256i low = load(s.bias);
    const __m256i high = load(s.bias + 8);
    __m256i sum0 = _mm256_permute2x128_si256(low, high, 0x20);
    __m256i sum1 = _mm256_permute2x128_si256(low, high, 0x31);
    const std::int16_t* w = s.weights;
    for (std::int64_t pair = 0; pair < s.pairs; ++pair, w += 32) {
      const __m256i x0 = words(x + s.taps[2 * pair]);
      const __m256i x1 = words(x + s.taps[2 * pair + 1]);
      sum0 = _mm256_add_epi32(sum0, _mm256_madd_epi16(_mm256_unpacklo_epi16(x0, x1), load(w)));
      sum1 = _mm256_add_epi32(sum1, _mm256_madd_epi16(_mm256_unpackhi_epi16(x0, x1), load(w + 16)));
    }
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums), _mm256_permute2x128_si256(sum0, sum1, 0x20));
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums + 8), _mm256_permute2x128_si256(sum0, sum1, 0x31));
  }
}

}  // namespace halftone::kernels
