// Internal linkage but for one function: others must not share what is compiled with these instructions.
#include <immintrin.h>

#include "halftone/kernels/depthwise/depthwise_sums.h"

namespace halftone::kernels {

// Bytes of four taps are put side by side, channel by channel: register r then has the channels that channel_of(4, r, lane) says.
void sum_depthwise_avx512(const DepthwiseSums& s) {
  const __mmask64 mask = s.channels >= 64 ? ~__mmask64{0} : (__mmask64{1} << s.channels) - 1;
  __m512i sum0 = _mm512_load_si512(s.bias);
  __m512i sum1 = _mm512_load_si512(s.bias + 16);
  __m512i sum2 = _mm512_load_si512(s.bias + 32);
  __m512i sum3 = _mm512_load_si512(s.bias + 48);
  for (std::int64_t quad = 0; quad < s.quads; ++quad) {
    const std::ptrdiff_t* taps = s.taps + 4 * quad;
    const __m512i x0 = _mm512_maskz_loadu_epi8(mask, s.x + taps[0]);
    const __m512i x1 = _mm512_maskz_loadu_epi8(mask, s.x + taps[1]);
    const __m512i x2 = _mm512_maskz_loadu_epi8(mask, s.x + taps[2]);
    const __m512i x3 = _mm512_maskz_loadu_epi8(mask, s.x + taps[3]);
    const __m512i low01 = _mm512_unpacklo_epi8(x0, x1);
    const __m512i low23 = _mm512_unpacklo_epi8(x2, x3);
    const __m512i high01 = _mm512_unpackhi_epi8(x0, x1);
    const __m512i high23 = _mm512_unpackhi_epi8(x2, x3);
    const std::int8_t* w = s.weights + 256 * quad;
    sum0 = _mm512_dpbusd_epi32(sum0, _mm512_unpacklo_epi16(low01, low23), _mm512_load_si512(w));
    sum1 = _mm512_dpbusd_epi32(sum1, _mm512_unpackhi_epi16(low01, low23), _mm512_load_si512(w + 64));
    sum2 = _mm512_dpbusd_epi32(sum2, _mm512_unpacklo_epi16(high01, high23), _mm512_load_si512(w + 128));
    sum3 = _mm512_dpbusd_epi32(sum3, _mm512_unpackhi_epi16(high01, high23), _mm512_load_si512(w + 192));
  }
  _mm512_store_si512(s.sums, sum0);
  _mm512_store_si512(s.sums + 16, sum1);
  _mm512_store_si512(s.sums + 32, sum2);
  _mm512_store_si512(s.sums + 48, sum3);
}

}  // namespace halftone::kernels
