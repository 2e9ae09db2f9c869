#include <algorithm>

#include "halftone/float_engine/emit.h"

namespace halftone::float_engine {
namespace {

using Forward = dnnl::pooling_forward;

bool emit_pool(Builder& builder, dnnl::algorithm algorithm, const std::vector<ir::WindowAxis>& axes,
               const Work& work) {
  const ir::ValueId x = work.node.inputs[0];
  Dims kernel, strides, begin, end;
  for (const ir::WindowAxis& axis : axes) {
    if (axis.dilation != 1) return false;
    kernel.push_back(axis.kernel);
    strides.push_back(axis.stride);
    begin.push_back(axis.pad_begin);
    // ceil_mode may let the last window reach further.
    const std::int64_t reach = (axis.out - 1) * axis.stride + axis.kernel - axis.in - axis.pad_begin;
    if (reach > axis.pad_end && algorithm == dnnl::algorithm::pooling_avg_include_padding) return false;
    end.push_back(std::max(reach, axis.pad_end));
  }
  const Desc source = builder.layout(x);
  const Forward::primitive_desc chosen(
      Forward::desc(dnnl::prop_kind::forward_inference, algorithm, source,
                    any_layout(builder.dims(work.output)), strides, kernel, begin, end),
      attributes(work.after), cpu());
  const SlotId in = builder.read(x, source);
  const SlotId out = builder.write(work.output, chosen.dst_desc());
  builder.execute(Forward(chosen), {{DNNL_ARG_SRC, in}, {DNNL_ARG_DST, out}}, chosen.scratchpad_desc());
  return true;
}

std::vector<ir::WindowAxis> window_axes(const Builder& builder, const ir::Window& window, const Work& work) {
  const Shape& x = builder.shape(work.node.inputs[0]);
  return ir::resolve(window, Shape(x.begin() + 2, x.end()), ir::name_of(work.node.op));
}

std::vector<ir::WindowAxis> whole_axes(const Builder& builder, const Work& work) {
  const Shape& x = builder.shape(work.node.inputs[0]);
  std::vector<ir::WindowAxis> axes;
  for (std::size_t d = 2; d < x.size(); ++d) axes.push_back({.in = x[d], .kernel = x[d]});
  return axes;
}

bool has_pool_rank(const Builder& builder, const Work& work) {
  const std::size_t rank = builder.shape(work.node.inputs[0]).size();
  return rank >= 3 && rank <= 5;
}

}  // namespace

bool emit(Builder& builder, const ir::MaxPool& op, const Work& work) {
  return has_pool_rank(builder, work) &&
         emit_pool(builder, dnnl::algorithm::pooling_max, window_axes(builder, op.window, work), work);
}

bool emit(Builder& builder, const ir::AveragePool& op, const Work& work) {
  const auto algorithm = op.count_include_pad ? dnnl::algorithm::pooling_avg_include_padding
                                              : dnnl::algorithm::pooling_avg_exclude_padding;
  return has_pool_rank(builder, work) &&
         emit_pool(builder, algorithm, window_axes(builder, op.window, work), work);
}

bool emit(Builder& builder, const ir::GlobalAveragePool&, const Work& work) {
  return has_pool_rank(builder, work) &&
         emit_pool(builder, dnnl::algorithm::pooling_avg_exclude_padding, whole_axes(builder, work), work);
}

bool emit(Builder& builder, const ir::GlobalMaxPool&, const Work& work) {
  return has_pool_rank(builder, work) &&
         emit_pool(builder, dnnl::algorithm::pooling_max, whole_axes(builder, work), work);
}

}  // namespace halftone::float_engine
