#include "halftone/kernels/ceiling.h"

extern "C" void halftone_avx512_vnni_burst(std::int64_t rounds);

namespace halftone::kernels {

std::int64_t run_dot_products(Isa isa) {
#ifdef HALFTONE_X86
  constexpr std::int64_t kRounds = 13000;
  constexpr std::int64_t kInstructions = 28;  // a round
  constexpr std::int64_t kEach = 64;          // multiply-adds of one
  if (isa == Isa::avx512_vnni) {
    halftone_avx512_vnni_burst(kRounds);
    return kRounds * kInstructions * kEach;
  }
#endif
  static_cast<void>(isa);
  return 0;
}

}  // namespace halftone::kernels
