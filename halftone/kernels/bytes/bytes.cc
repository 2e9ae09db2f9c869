#include "halftone/kernels/bytes/bytes.h"

#include <cstdlib>

namespace halftone::kernels {

bool AddRule::is_supported() const {
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  const auto fits_16 = [](std::int64_t m) { return (m + 0x8000) >> 16 >= INT16_MIN && (m + 0x8000) >> 16 <= INT16_MAX; };
  const std::int64_t reach = (std::llabs(m_a) + std::llabs(m_b)) * 255 + std::llabs(c);
  return shift >= 16 && shift <= 47 && fits_16(m_a) && fits_16(m_b) && (reach >> 16) < kMost;
}

const ByteLoops& byte_loops(Isa isa) {
#ifdef HALFTONE_X86
  if (isa == Isa::avx2) return kAvx2ByteLoops;
  if (isa == Isa::avx512_vnni) return kAvx512ByteLoops;
#endif
  static_cast<void>(isa);
  return kGenericByteLoops;
}

}  // namespace halftone::kernels
