// The packers of each instruction set, and what they share.
#pragma once

#include "halftone/kernels/linear/linear.h"

namespace halftone::kernels {

std::unique_ptr<Linear> pack_generic(const LinearWeights& weights, const Requantization& requantization);
std::unique_ptr<Linear> pack_avx2(const LinearWeights& weights, const Requantization& requantization);
std::unique_ptr<Linear> pack_avx512_vnni(const LinearWeights& weights, const Requantization& requantization);

}  // namespace halftone::kernels
