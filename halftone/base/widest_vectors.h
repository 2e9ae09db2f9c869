// A loop compiled twice: for the vectors that every machine has, and for AVX2, which runs where the machine
// has it. -ffp-contract=off holds for both: each lane is computed as it would be alone, so results do not
// depend on it.
#pragma once

#include <type_traits>

namespace halftone {

// So many numbers side by side, as GCC and Clang have them.
typedef float FourFloats __attribute__((vector_size(16)));
typedef float EightFloats __attribute__((vector_size(32)));

#if defined(__x86_64__)

template <typename Loop>
[[gnu::target("avx2"), gnu::flatten, gnu::noinline]] void run_with_avx2(const Loop& loop) {
  loop(std::type_identity<EightFloats>{});
}

// Calls loop(floats), with all that it calls inlined; floats::type are as many as a register holds. What the
// loop works on should be copied into it: compilers take what is captured for anything's alias.
template <typename Loop>
void on_widest_vectors(const Loop& loop) {
  static const bool avx2 = __builtin_cpu_supports("avx2") != 0;
  if (avx2)
    run_with_avx2(loop);
  else
    loop(std::type_identity<FourFloats>{});
}

#else

template <typename Loop>
void on_widest_vectors(const Loop& loop) {
  loop(std::type_identity<FourFloats>{});
}

#endif

}  // namespace halftone
