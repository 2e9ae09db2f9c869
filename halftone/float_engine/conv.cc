#include "halftone/float_engine/emit.h"

namespace halftone::float_engine {
namespace {

using Forward = dnnl::convolution_forward;

struct Geometry {
  Dims strides, dilations, pads_begin, pads_end;
};

// oneDNN counts the elements skipped: its dilation is one less than ONNX's.
Geometry geometry_of(const ir::Conv& op, const Shape& x, const Shape& w) {
  Geometry geometry;
  for (const ir::WindowAxis& axis :
       ir::resolve(ir::kernel_window(op, w), Shape(x.begin() + 2, x.end()), "Conv")) {
    geometry.strides.push_back(axis.stride);
    geometry.dilations.push_back(axis.dilation - 1);
    geometry.pads_begin.push_back(axis.pad_begin);
    geometry.pads_end.push_back(axis.pad_end);
  }
  return geometry;
}

// [M, C/G, kernel...] as [G, M/G, C/G, kernel...].
Dims grouped(Dims weights, std::int64_t groups) {
  if (groups == 1) return weights;
  weights[0] /= groups;
  weights.insert(weights.begin(), groups);
  return weights;
}

// The direct algorithm alone: Winograd's rounds more.
Forward::primitive_desc describe(const Desc& x, const Desc& w, const Desc& b, const Desc& y,
                                 const Geometry& g, const dnnl::primitive_attr& attributes) {
  constexpr auto kInference = dnnl::prop_kind::forward_inference;
  constexpr auto kDirect = dnnl::algorithm::convolution_direct;
  return {Forward::desc(kInference, kDirect, x, w, b, y, g.strides, g.dilations, g.pads_begin, g.pads_end),
          attributes, cpu()};
}

}  // namespace

bool emit(Builder& builder, const ir::Conv& op, const Work& work) {
  const ir::ValueId x = work.node.inputs[0];
  const ir::ValueId w = work.node.inputs[1];
  const bool has_bias = work.node.inputs.size() > 2 && work.node.inputs[2] != ir::kNoValue;
  const std::size_t rank = builder.shape(x).size();
  if (rank < 3 || rank > 5) return false;
  const Dims weights = grouped(builder.dims(w), op.groups);
  const Desc bias = has_bias ? plain(builder.dims(work.node.inputs[2])) : Desc();
  const Forward::primitive_desc chosen =
      describe(any_layout(builder.dims(x)), any_layout(weights), bias, any_layout(builder.dims(work.output)),
               geometry_of(op, builder.shape(x), builder.shape(w)), attributes(work.after));
  const bool is_alone = work.after.added == ir::kNoValue && work.after.activation.empty();
  if (!is_alone && is_reference(chosen)) return false;
  std::vector<std::pair<int, SlotId>> arguments{
      {DNNL_ARG_SRC, builder.read(x, chosen.src_desc())},
      {DNNL_ARG_WEIGHTS, builder.read_as(w, plain(weights), chosen.weights_desc())}};
  if (has_bias) arguments.emplace_back(DNNL_ARG_BIAS, builder.read(work.node.inputs[2], bias));
  SlotId y = 0;
  if (work.after.added == ir::kNoValue) {
    y = builder.write(work.output, chosen.dst_desc());
  } else {
    y = builder.overwrite(work.after.added, chosen.dst_desc(), arguments[0].second);
    builder.place(work.output, y);
  }
  arguments.emplace_back(DNNL_ARG_DST, y);
  builder.execute(Forward(chosen), std::move(arguments), chosen.scratchpad_desc());
  return true;
}

}  // namespace halftone::float_engine
