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

std::int64_t innermost_channels(const Desc& desc) {
  const Dims dims = desc.dims();
  if (desc.data.format_kind != dnnl_blocked) return 0;
  if (dims.size() < 2) return desc == plain(dims) ? 1 : 0;
  const dnnl_blocking_desc_t& blocking = desc.data.format_desc.blocking;
  const bool nested = blocking.inner_nblks > 1 || (blocking.inner_nblks == 1 && blocking.inner_idxs[0] != 1);
  const bool last = blocking.inner_nblks == 0 && dims.size() > 2 && dims[1] > 1 && blocking.strides[1] == 1;
  const std::int64_t block = last ? dims[1] : channel_block(desc);
  std::int64_t stride = block;
  bool fits = !nested;
  const auto expect = [&](std::size_t d, std::int64_t size) {
    fits = fits && (size == 1 || blocking.strides[d] == stride);
    stride *= size;
  };
  for (std::size_t d = dims.size() - 1; d >= 2; --d) expect(d, dims[d]);
  expect(1, dims[1] / block);
  expect(0, dims[0]);
  return fits ? block : 0;
}

}  // namespace halftone::float_engine
