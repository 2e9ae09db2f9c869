#include "halftone/kernels/requantization.h"

#include <bit>

namespace halftone::kernels {

bool is_free_of_ties(std::int64_t m, int shift, std::int64_t bound) {
  if (m == 0 || shift <= 0) return true;
  const int zeros_of_acc = shift - 1 - std::countr_zero(static_cast<std::uint64_t>(m));
  if (zeros_of_acc < 0) return true;  // acc·m always has more
  return zeros_of_acc >= 62 || (std::int64_t{1} << zeros_of_acc) > bound;
}

}  // namespace halftone::kernels
