// Internal linkage but for two functions: others must not share what is compiled with these instructions.
#include <immintrin.h>

#include "halftone/kernels/depthwise/depthwise_sums.h"

namespace halftone::kernels {
namespace {

// The bytes of one tap: 64 of one pixel, or as many of each of two or four pixels, `hop` bytes apart.
template <int kPixels>
__m512i load(const std::uint8_t* x, std::ptrdiff_t hop, __mmask64 mask) {
  if constexpr (kPixels == 1) return _mm512_maskz_loadu_epi8(mask, x);
  if constexpr (kPixels == 2) {
    const __m512i first = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
    return _mm512_inserti64x4(first, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + hop)), 1);
  }
  const auto part = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i * hop)); };
  const __m512i first = _mm512_castsi256_si512(_mm256_inserti128_si256(_mm256_castsi128_si256(part(0)), part(1), 1));
  return _mm512_inserti64x4(first, _mm256_inserti128_si256(_mm256_castsi128_si256(part(2)), part(3), 1), 1);
}

// Bytes of four taps side by side, lane by lane: register r has the lanes that channel_of(4, r, lane) says.
struct Quad {
  Quad(__m512i x0, __m512i x1, __m512i x2, __m512i x3) {
    const __m512i low01 = _mm512_unpacklo_epi8(x0, x1);
    const __m512i low23 = _mm512_unpacklo_epi8(x2, x3);
    const __m512i high01 = _mm512_unpackhi_epi8(x0, x1);
    const __m512i high23 = _mm512_unpackhi_epi8(x2, x3);
    x[0] = _mm512_unpacklo_epi16(low01, low23);
    x[1] = _mm512_unpackhi_epi16(low01, low23);
    x[2] = _mm512_unpacklo_epi16(high01, high23);
    x[3] = _mm512_unpackhi_epi16(high01, high23);
  }
  __m512i x[4];
};

struct Sums {
  explicit Sums(const std::int32_t* bias) {
    for (int r = 0; r < 4; ++r) sum[r] = _mm512_load_si512(bias + 16 * r);
  }
  void add(const Quad& quad, const std::int8_t* weights) {
    for (int r = 0; r < 4; ++r) sum[r] = _mm512_dpbusd_epi32(sum[r], quad.x[r], _mm512_load_si512(weights + 64 * r));
  }
  void store(std::int32_t* to) const {
    for (int r = 0; r < 4; ++r) _mm512_store_si512(to + 16 * r, sum[r]);
  }
  __m512i sum[4];
};

__mmask64 mask_of(int channels) { return channels >= 64 ? ~__mmask64{0} : (__mmask64{1} << channels) - 1; }

template <int kPixels>
void sum_quads(const DepthwiseQuads& s) {
  const __mmask64 mask = mask_of(s.channels);
  const std::uint8_t* x = s.x;
  std::int32_t* to = s.sums;
  for (int p = 0; p < s.pixels; p += kPixels, x += kPixels * s.x_pixel, to += 64) {
    Sums sums(s.bias);
    for (std::int64_t quad = 0; quad < s.quads; ++quad) {
      const std::ptrdiff_t* taps = s.taps + 4 * quad;
      const auto tap = [&](int i) { return load<kPixels>(x + taps[i], s.x_pixel, mask); };
      sums.add(Quad(tap(0), tap(1), tap(2), tap(3)), s.weights + 256 * quad);
    }
    sums.store(to);
  }
}

template <int kPixels, int kStride>
void sum_rows(const DepthwiseRows& s) {
  const __mmask64 mask = mask_of(s.channels);
  const std::ptrdiff_t hop = 2 * kStride * s.x_column;
  std::ptrdiff_t at = 0;
  std::int32_t* to = s.sums;
  for (int p = 0; p < s.pixels; p += 2 * kPixels, at += kPixels * hop, to += 128) {
    Sums even(s.bias);
    Sums odd(s.bias);
    const auto place = [&](int row, int column) { return load<kPixels>(s.rows[row] + at + column * s.x_column, hop, mask); };
#pragma GCC unroll 1  // the addresses of all rows are more than there are registers
    for (int row = 0; row < 3; ++row) {
      const Quad quad(place(row, 0), place(row, 1), place(row, 2), place(row, 3));
      even.add(quad, s.weights + 512 * row);
      odd.add(quad, s.weights + 512 * row + 256);
    }
    if constexpr (kStride == 2) {
      const __m512i last = place(2, 4);
      odd.add(Quad(place(0, 4), place(1, 4), last, last), s.weights + 3 * 512);
    }
    even.store(to);
    odd.store(to + 64);
  }
}

template <int kPixels>
void sum_rows(const DepthwiseRows& s) {
  return s.stride == 2 ? sum_rows<kPixels, 2>(s) : sum_rows<kPixels, 1>(s);
}

}  // namespace

void sum_depthwise_avx512(const DepthwiseQuads& s) {
  if (s.pixels_a_register == 4) return sum_quads<4>(s);
  return s.pixels_a_register == 2 ? sum_quads<2>(s) : sum_quads<1>(s);
}

void sum_depthwise_rows_avx512(const DepthwiseRows& s) {
  if (s.pixels_a_register == 4) return sum_rows<4>(s);
  return s.pixels_a_register == 2 ? sum_rows<2>(s) : sum_rows<1>(s);
}

}  // namespace halftone::kernels
