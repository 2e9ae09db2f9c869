#include "halftone/kernels/ceiling.h"

extern "C" {
void halftone_avx2_burst(std::int64_t rounds);
void halftone_avx512_vnni_burst(std::int64_t rounds);
}

namespace halftone::kernels {

std::int64_t run_dot_products(Isa isa) {
#ifdef HALFTONE_X86
  // Rounds, instructions of one, multiply-adds of each.
  if (isa == Isa::avx2) {
    halftone_avx2_burst(20000);
    return std::int64_t{20000} * 12 * 16;
  }
  if (isa == Isa::avx512_vnni) {
    halftone_avx512_vnni_burst(13000);
    return std::int64_t{13000} * 28 * 64;
  }
#endif
  static_cast<void>(isa);
  return 0;
}

}  // namespace halftone::kernels
