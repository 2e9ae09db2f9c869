#include "halftone/float_engine/emit.h"

namespace halftone::float_engine {

bool emit(Builder& builder, const ir::BatchNormalization& op, const Work& work) {
  using Forward = dnnl::batch_normalization_forward;
  using dnnl::normalization_flags;
  const auto& inputs = work.node.inputs;
  const std::size_t rank = builder.shape(inputs[0]).size();
  if (rank < 2 || rank > 5) return false;
  const Desc layout = builder.layout(inputs[0]);
  const Forward::primitive_desc chosen(
      Forward::desc(dnnl::prop_kind::forward_inference, layout, op.epsilon,
                    normalization_flags::use_global_stats | normalization_flags::use_scale |
                        normalization_flags::use_shift),
      attributes(work.after), cpu());
  const Desc statistic = plain(builder.dims(inputs[1]));
  const SlotId x = builder.read(inputs[0], layout);
  const SlotId scale = builder.read(inputs[1], statistic);
  const SlotId shift = builder.read(inputs[2], statistic);
  const SlotId mean = builder.read(inputs[3], statistic);
  const SlotId variance = builder.read(inputs[4], statistic);
  const SlotId y = builder.write(work.output, layout);
  builder.execute(Forward(chosen),
                  {{DNNL_ARG_SRC, x},
                   {DNNL_ARG_SCALE, scale},
                   {DNNL_ARG_SHIFT, shift},
                   {DNNL_ARG_MEAN, mean},
                   {DNNL_ARG_VARIANCE, variance},
                   {DNNL_ARG_DST, y}},
                  chosen.scratchpad_desc());
  return true;
}

bool emit(Builder& builder, const ir::Softmax& op, const Work& work) {
  using Forward = dnnl::softmax_forward;
  const ir::ValueId x = work.node.inputs[0];
  const std::size_t rank = builder.shape(x).size();
  if (rank == 0) return false;
  const int axis = normalize_axis(op.axis, rank, "Softmax");
  if (op.to_end && static_cast<std::size_t>(axis) + 1 != rank) return false;
  const Desc layout = plain(builder.dims(x));
  const Forward::primitive_desc chosen(Forward::desc(dnnl::prop_kind::forward_inference, layout, axis),
                                       attributes(work.after), cpu());
  const SlotId in = builder.read(x, layout);
  const SlotId out = builder.write(work.output, layout);
  builder.execute(Forward(chosen), {{DNNL_ARG_SRC, in}, {DNNL_ARG_DST, out}}, chosen.scratchpad_desc());
  return true;
}

}  // namespace halftone::float_engine
