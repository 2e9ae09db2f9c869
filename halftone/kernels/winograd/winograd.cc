#include "halftone/kernels/winograd/winograd.h"

#include "halftone/kernels/winograd/transforms.h"

namespace halftone::kernels {

std::unique_ptr<Winograd> pack_winograd(Isa isa, const LinearWeights& weights, const Requantization& requantization) {
#ifdef HALFTONE_X86
  if (isa == Isa::avx2) return pack_winograd_avx2(weights, requantization);
#endif
  static_cast<void>(isa);
  static_cast<void>(weights);
  static_cast<void>(requantization);
  return nullptr;
}

}  // namespace halftone::kernels
