#include "halftone/float_engine/layout.h"

#include "halftone/base/address_space.h"

namespace halftone::float_engine {

const dnnl::engine& cpu() {
  expect_left(0);
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

Dims dims_of(const Shape& shape) { return shape.empty() ? Dims{1} : Dims(shape.begin(), shape.end()); }

Desc plain(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t d = dims.size() - 1; d-- > 0;) strides[d] = strides[d + 1] * dims[d + 1];
  return strided(dims, strides);
}

Desc any_layout(const Dims& dims) {
  return Desc(dims, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
}

Desc strided(const Dims& dims, const Dims& strides) {
  return Desc(dims, dnnl::memory::data_type::f32, strides);
}

std::int64_t channel_block(const Desc& desc) {
  if (desc.data.format_kind != dnnl_blocked) return 1;
  const dnnl_blocking_desc_t& blocking = desc.data.format_desc.blocking;
  std::int64_t block = 1;
  for (int i = 0; i < blocking.inner_nblks; ++i)
    if (blocking.inner_idxs[i] == 1) block *= blocking.inner_blks[i];
  return block;
}

}  // namespace halftone::float_engine
