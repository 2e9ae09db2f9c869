#include <algorithm>

#include "halftone/float_engine/emit.h"

namespace halftone::float_engine {
namespace {

// Blocked inputs join along the channels only when every one of them fills its blocks.
bool may_join_blocked(Builder& builder, const std::vector<ir::ValueId>& inputs, int axis) {
  const std::int64_t block = channel_block(builder.layout(inputs[0]));
  return std::ranges::all_of(inputs, [&](ir::ValueId input) {
    return channel_block(builder.layout(input)) == block &&
           (axis != 1 || builder.shape(input)[1] % block == 0);
  });
}

}  // namespace

bool emit(Builder& builder, const ir::Concat& op, const Work& work) {
  const auto& inputs = work.node.inputs;
  const int axis = normalize_axis(op.axis, builder.shape(work.output).size(), "Concat");
  const bool blocked = may_join_blocked(builder, inputs, axis);
  std::vector<Desc> layouts;
  for (const ir::ValueId input : inputs)
    layouts.push_back(blocked ? builder.layout(input) : plain(builder.dims(input)));
  const dnnl::concat::primitive_desc chosen(axis, layouts, cpu(), attributes(work.after));
  std::vector<std::pair<int, SlotId>> arguments;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    arguments.emplace_back(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), builder.read(inputs[i], layouts[i]));
  arguments.emplace_back(DNNL_ARG_DST, builder.write(work.output, chosen.dst_desc()));
  builder.execute(dnnl::concat(chosen), std::move(arguments), chosen.scratchpad_desc());
  return true;
}

// A reorder from the input seen with its dimensions permuted.
bool emit(Builder& builder, const ir::Transpose& op, const Work& work) {
  const ir::ValueId x = work.node.inputs[0];
  const Dims from = builder.dims(x);
  const Dims to = builder.dims(work.output);
  const std::size_t rank = from.size();
  if (builder.shape(x).empty()) return false;
  Dims strides(rank, 1);
  for (std::size_t d = rank - 1; d-- > 0;) strides[d] = strides[d + 1] * from[d + 1];
  Dims permuted(rank);
  for (std::size_t d = 0; d < rank; ++d)
    permuted[d] =
        strides[op.permutation.empty() ? rank - 1 - d : static_cast<std::size_t>(op.permutation[d])];
  const Desc view = strided(to, permuted);
  const dnnl::reorder::primitive_desc chosen(cpu(), view, cpu(), plain(to), attributes(work.after));
  const SlotId in = builder.read_as(x, view, view);
  const SlotId out = builder.write(work.output, plain(to));
  builder.execute(dnnl::reorder(chosen), {{DNNL_ARG_FROM, in}, {DNNL_ARG_TO, out}}, chosen.scratchpad_desc());
  return true;
}

}  // namespace halftone::float_engine
