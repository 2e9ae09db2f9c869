#include "halftone/kernels/linear/linear.h"

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/kernels/linear/isa_linears.h"
#include "halftone/kernels/linear/neighbours.h"

namespace halftone::kernels {
namespace {

PackLinear packer_of(Isa isa) {
  switch (isa) {
    case Isa::generic:
      return pack_generic;
#ifdef HALFTONE_X86
    case Isa::avx2:
      return pack_avx2;
    case Isa::avx512_vnni:
      return pack_avx512_vnni;
#else
    default:
      break;
#endif
  }
  throw UnsupportedError("isa", fmt::format("no kernels for {}", name_of(isa)));
}

}  // namespace

std::unique_ptr<Linear> pack_linear(Isa isa, const LinearWeights& weights, const Requantization& requantization) {
  if (!is_supported(isa)) throw UnsupportedError("isa", fmt::format("this machine has no {}", name_of(isa)));
  const PackLinear pack = packer_of(isa);
  const std::int64_t together = isa == Isa::avx512_vnni ? neighbours_together(weights) : 1;  // others have narrower registers to fill
  return together > 1 ? pack_neighbours(pack, weights, requantization, together) : pack(weights, requantization);
}

}  // namespace halftone::kernels
