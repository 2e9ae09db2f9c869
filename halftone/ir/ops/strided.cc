#include "halftone/ir/ops/strided.h"

#include <cstring>

namespace halftone::ir {

Tensor copy_strided(const Tensor& from, Shape shape, const Strided& at) {
  Tensor to(from.dtype(), std::move(shape));
  const std::size_t size = size_of(from.dtype());
  const std::byte* in = from.bytes().data();
  std::byte* out = to.mutable_bytes().data();
  std::vector<std::int64_t> index(to.rank(), 0);
  std::int64_t place = at.offset;
  for (std::int64_t i = 0; i < to.size(); ++i, out += size) {
    std::memcpy(out, in + static_cast<std::size_t>(place) * size, size);
    for (std::size_t d = to.rank(); d-- > 0;) {
      place += at.strides[d];
      if (++index[d] < to.dim(d)) break;
      place -= at.strides[d] * to.dim(d);
      index[d] = 0;
    }
  }
  return to;
}

}  // namespace halftone::ir
