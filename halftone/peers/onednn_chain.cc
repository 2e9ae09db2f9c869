#include "halftone/peers/onednn_chain.h"

#include <algorithm>
#include <cstring>

namespace halftone::peers {
namespace {

DType dtype_of(const Desc& desc) {
  using Type = dnnl::memory::data_type;
  switch (desc.data_type()) {
    case Type::f32:
      return DType::float32;
    case Type::s32:
      return DType::int32;
    case Type::s8:
      return DType::int8;
    default:
      return DType::uint8;
  }
}

}  // namespace

Desc row_major(const Dims& dims, dnnl::memory::data_type type) {
  Dims strides(dims.size(), 1);
  for (std::size_t d = dims.size() - 1; d-- > 0;) strides[d] = strides[d + 1] * dims[d + 1];
  return {dims, type, strides};
}

Desc any_layout(const Dims& dims, dnnl::memory::data_type type) { return {dims, type, dnnl::memory::format_tag::any}; }

bool is_row_major(const Desc& desc) {
  const dnnl_memory_desc_t& d = desc.data;
  if (d.format_kind != dnnl_blocked || d.format_desc.blocking.inner_nblks != 0) return false;
  std::int64_t stride = 1;
  for (int i = d.ndims; i-- > 0;) {
    if (d.dims[i] == 1) continue;
    if (d.format_desc.blocking.strides[i] != stride || d.padded_dims[i] != d.dims[i]) return false;
    stride *= d.dims[i];
  }
  return true;
}

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

dnnl::memory OnednnChain::allocate(const Desc& desc) {
  dnnl::memory memory(desc, engine_);
  memories_.push_back(memory);
  std::memset(memory.get_data_handle(), 0, desc.get_size());  // its pages are there before anything is timed
  return memory;
}

dnnl::memory OnednnChain::constant(std::span<const std::byte> bytes, const Desc& plain, const Desc& wanted) {
  // The reorder reads it alone.
  dnnl::memory from(plain, engine_, const_cast<std::byte*>(bytes.data()));
  dnnl::memory to = allocate(wanted);
  dnnl::reorder(from, to).execute(stream_, from, to);
  stream_.wait();
  return to;
}

void OnednnChain::add(Primitive primitive, const dnnl::primitive& call, Arguments arguments, const Desc& scratchpad) {
  const Desc result = arguments.at(DNNL_ARG_DST).get_desc();
  primitive.shape = result.dims();
  primitive.dtype = dtype_of(result);
  primitives_.push_back(std::move(primitive));
  steps_.push_back({call, std::move(arguments), scratchpad});
}

dnnl::memory OnednnChain::reordered(const dnnl::memory& x, const Desc& wanted, const std::string& node) {
  return x.get_desc() == wanted ? x : converted(x, wanted, 1.0F, node);
}

dnnl::memory OnednnChain::converted(const dnnl::memory& x, const Desc& wanted, float factor, const std::string& node) {
  dnnl::memory y = allocate(wanted);
  dnnl::primitive_attr attributes = peers::attributes();
  if (factor != 1.0F) attributes.set_output_scales(0, {factor});
  const dnnl::reorder::primitive_desc chosen(engine_, x.get_desc(), engine_, wanted, attributes);
  add({.node = node, .kind = "reorder", .implementation = chosen.impl_info_str()}, dnnl::reorder(chosen), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}},
      chosen.scratchpad_desc());
  return y;
}

dnnl::memory OnednnChain::reshaped(const dnnl::memory& x, const Dims& dims, const std::string& node) {
  const Desc desc = x.get_desc();
  if (desc.dims() == dims) return x;
  const dnnl::memory rows = is_row_major(desc) ? x : reordered(x, row_major(desc.dims(), desc.data_type()), node);
  return {row_major(dims, desc.data_type()), engine_, rows.get_data_handle()};
}

void OnednnChain::finish() {
  std::size_t most = 0;
  for (const Step& step : steps_) most = std::max(most, step.scratchpad.get_size());
  if (most == 0) return;
  const dnnl::memory scratchpad = allocate(row_major({static_cast<std::int64_t>(most)}, dnnl::memory::data_type::u8));
  for (Step& step : steps_)
    if (step.scratchpad.get_size() > 0)
      step.arguments[DNNL_ARG_SCRATCHPAD] = dnnl::memory(step.scratchpad, engine_, scratchpad.get_data_handle());
}

void OnednnChain::run(int threads) {
  const OpenMpThreads guard(threads);
  for (const Step& step : steps_) step.call.execute(stream_, step.arguments);
  stream_.wait();
}

}  // namespace halftone::peers
