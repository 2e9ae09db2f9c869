#include "bench/fma_rate.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace halftone {
namespace {

#ifdef __x86_64__

constexpr std::int64_t kRounds = 200'000;
constexpr int kChains = 12;  // more than latency times ports, fewer than there are registers on AVX2

[[gnu::target("avx512f")]] std::int64_t run_avx512() {
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_set1_ps(1.0F);
  const __m512 factor = _mm512_set1_ps(0.5F);
  for (std::int64_t i = 0; i < kRounds; ++i)
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, factor, factor);
  for (__m512& sum : sums) asm volatile("" : "+v"(sum));
  return kRounds * kChains * 16;
}

[[gnu::target("avx2,fma")]] std::int64_t run_avx2() {
  __m256 sums[kChains];
  for (__m256& sum : sums) sum = _mm256_set1_ps(1.0F);
  const __m256 factor = _mm256_set1_ps(0.5F);
  for (std::int64_t i = 0; i < kRounds; ++i)
#pragma GCC unroll 12
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, factor, factor);
  for (__m256& sum : sums) asm volatile("" : "+x"(sum));
  return kRounds * kChains * 8;
}

std::int64_t run() {
  if (__builtin_cpu_supports("avx512f")) return run_avx512();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return run_avx2();
  return 0;
}

#else

std::int64_t run() { return 0; }

#endif

}  // namespace

double fma_rate() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  const auto seconds_since = [](Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
  };
  double best = 0.0;
  do {
    const Clock::time_point start = Clock::now();
    const std::int64_t done = run();
    best = std::max(best, static_cast<double>(done) / seconds_since(start));
  } while (best > 0.0 && seconds_since(begin) < 0.1);
  return best;
}

}  // namespace halftone
