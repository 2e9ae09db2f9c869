#include "halftone/kernels/linear/linear.h"

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/kernels/linear/isa_linears.h"

namespace halftone::kernels {

std::unique_ptr<Linear> pack_linear(Isa isa, const LinearWeights& weights, const Requantization& requantization) {
  if (!is_supported(isa)) throw UnsupportedError("isa", fmt::format("this machine has no {}", name_of(isa)));
  switch (isa) {
    case Isa::generic:
      return pack_generic(weights, requantization);
#ifdef HALFTONE_X86
    case Isa::avx2:
      return pack_avx2(weights, requantization);
    case Isa::avx512_vnni:
      return pack_avx512_vnni(weights, requantization);
#else
    default:
      break;
#endif
  }
  throw UnsupportedError("isa", fmt::format("no kernels for {}", name_of(isa)));
}

}  // namespace halftone::kernels
