// Nothing here has linkage but the two transforms: others must not share what is compiled with these instructions.
#include <immintrin.h>

#include "halftone/kernels/winograd/transforms.h"

namespace halftone::kernels {
namespace {

// One column of Bᵀx, with Bᵀ = (1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1).
struct Column {
  __m256i t[4];

  Column(const InputTiles& s, std::int64_t column, std::int64_t k) {
    const std::ptrdiff_t at = (column < s.columns ? column : s.columns - 1) * s.x_pixel + k;
    const auto words = [&](int row) { return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(s.rows[row] + at))); };
    const __m256i d0 = words(0);
    const __m256i d1 = words(1);
    const __m256i d2 = words(2);
    const __m256i d3 = words(3);
    t[0] = _mm256_sub_epi16(d0, d2);
    t[1] = _mm256_add_epi16(d1, d2);
    t[2] = _mm256_sub_epi16(d2, d1);
    t[3] = _mm256_sub_epi16(d1, d3);
  }
};

}  // namespace

void transform_input_avx2(const InputTiles& s) {
  const std::int64_t plane = s.tiles * s.depth;
  for (std::int64_t k = 0; k < s.depth; k += 16) {
    Column a(s, 0, k);
    Column b(s, 1, k);
    for (std::int64_t tile = 0; tile < s.tiles; ++tile) {
      const Column c(s, 2 * tile + 2, k);
      const Column d(s, 2 * tile + 3, k);
      std::int16_t* v = s.v + tile * s.depth + k;
      const auto store = [&](int place, __m256i words) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(v + place * plane), words); };
      for (int i = 0; i < 4; ++i) {
        store(4 * i, _mm256_sub_epi16(a.t[i], c.t[i]));
        store(4 * i + 1, _mm256_add_epi16(b.t[i], c.t[i]));
        store(4 * i + 2, _mm256_sub_epi16(c.t[i], b.t[i]));
        store(4 * i + 3, _mm256_sub_epi16(b.t[i], d.t[i]));
      }
      a = c;
      b = d;
    }
  }
}

// Aᵀ = (1 1 1 0; 0 1 −1 −1) from both sides, a quarter of it, and the bias.
void transform_output_avx2(const OutputTiles& s) {
  for (int half = 0; half < 16; half += 8) {
    const __m256i bias = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(s.bias + half));
    for (std::int64_t tile = 0; tile < s.tiles; ++tile) {
      const auto product = [&](int place) {
        return _mm256_load_si256(reinterpret_cast<const __m256i*>(s.products + (place * s.tiles + tile) * 16 + half));
      };
      __m256i upper[4];
      __m256i lower[4];
      for (int j = 0; j < 4; ++j) {
        const __m256i m1 = product(4 + j);
        const __m256i m2 = product(8 + j);
        upper[j] = _mm256_add_epi32(_mm256_add_epi32(product(j), m1), m2);
        lower[j] = _mm256_sub_epi32(_mm256_sub_epi32(m1, m2), product(12 + j));
      }
      const auto store = [&](int row, const __m256i* a) {
        const __m256i left = _mm256_add_epi32(_mm256_add_epi32(a[0], a[1]), a[2]);
        const __m256i right = _mm256_sub_epi32(_mm256_sub_epi32(a[1], a[2]), a[3]);
        std::int32_t* y = s.rows[row] + 2 * tile * 16 + half;
        _mm256_store_si256(reinterpret_cast<__m256i*>(y), _mm256_add_epi32(_mm256_srai_epi32(left, 2), bias));
        _mm256_store_si256(reinterpret_cast<__m256i*>(y + 16), _mm256_add_epi32(_mm256_srai_epi32(right, 2), bias));
      };
      store(0, upper);
      store(1, lower);
    }
  }
}

}  // namespace halftone::kernels
