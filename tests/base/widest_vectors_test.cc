// A loop gives the same on every machine's vectors and on AVX2's.
#include "halftone/base/widest_vectors.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <vector>

namespace halftone {
namespace {

#if defined(__x86_64__)

// Steps that a contraction or another order would round differently.
std::vector<float> steps(std::vector<float> xs) {
  float sum = 0.0F;
  for (float& x : xs) {
    x = x * 1.1F + 0.3F;
    sum += x;
  }
  for (float& x : xs) x = std::fabs(x) / 3.0F - sum * x;
  return xs;
}

RC_GTEST_PROP(WidestVectors, GiveTheSameBits, ()) {
  if (!__builtin_cpu_supports("avx2")) GTEST_SKIP() << "this machine has no AVX2";
  std::vector<float> xs;
  for (int i = *rc::gen::inRange(0, 70); i > 0; --i)
    xs.push_back(static_cast<float>(*rc::gen::arbitrary<int>()) / 1000.0F);
  std::vector<float> wide;
  run_with_avx2([&](auto) { wide = steps(xs); });
  RC_ASSERT(wide == steps(xs));
}

#endif

TEST(WidestVectors, RunTheLoopOnceAndSayHowManyNumbersARegisterHolds) {
  int runs = 0;
  std::size_t bytes = 0;
  on_widest_vectors([&](auto floats) {
    ++runs;
    bytes = sizeof(typename decltype(floats)::type);
  });
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(bytes == 16 || bytes == 32);
}

}  // namespace
}  // namespace halftone
