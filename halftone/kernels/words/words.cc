#include "halftone/kernels/words/words.h"

namespace halftone::kernels {
namespace {

void add_generic(const std::int16_t* a, const std::int16_t* b, std::int16_t* y, std::int64_t count, const SumRule& rule) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<std::int16_t>(rule(a[i], b[i]));
}

}  // namespace

AddWords add_words(Isa isa) {
#ifdef HALFTONE_X86
  if (isa == Isa::avx512_vnni) return add_words_avx512;  // AVX2 neither shifts nor bounds signed lanes of 64 bits
#endif
  static_cast<void>(isa);
  return add_generic;
}

}  // namespace halftone::kernels
