#include <cmath>

#include "halftone/float_engine/emit.h"

namespace halftone::float_engine {
namespace {

using dnnl::algorithm;

// Exact, or within some roundings. Left to the plain loops: Erf and Gelu (approximated to 1e-7 absolute), Exp
// and Log (other results at the ends of the range), Sqrt (0 for negative numbers).
// clang-format off
template <typename Op> std::vector<Eltwise> functions(const Op&) { return {}; }
std::vector<Eltwise> functions(const ir::Relu&)         { return {{algorithm::eltwise_relu}}; }
std::vector<Eltwise> functions(const ir::LeakyRelu& op) { return {{algorithm::eltwise_relu, op.alpha}}; }
std::vector<Eltwise> functions(const ir::Abs&)          { return {{algorithm::eltwise_abs}}; }
std::vector<Eltwise> functions(const ir::Neg&)          { return {{algorithm::eltwise_linear, -1.0F, 0.0F}}; }
std::vector<Eltwise> functions(const ir::Round&)        { return {{algorithm::eltwise_round}}; }
std::vector<Eltwise> functions(const ir::Tanh&)         { return {{algorithm::eltwise_tanh}}; }
std::vector<Eltwise> functions(const ir::Sigmoid&)      { return {{algorithm::eltwise_logistic}}; }
std::vector<Eltwise> functions(const ir::Swish& op)     { return {{algorithm::eltwise_swish, op.alpha}}; }
std::vector<Eltwise> functions(const ir::HardSwish&)    { return {{algorithm::eltwise_hardswish}}; }
// clang-format on
std::vector<Eltwise> functions(const ir::Clip& op) {
  if (!(op.lo <= op.hi)) return {};
  return {{algorithm::eltwise_clip, op.lo, op.hi}};
}
std::vector<Eltwise> functions(const ir::HardSigmoid& op) {
  return {{algorithm::eltwise_linear, op.alpha, op.beta}, {algorithm::eltwise_clip, 0.0F, 1.0F}};
}

// `shape` with ones in front.
Dims aligned(const Shape& shape, std::size_t rank) {
  Dims dims(rank, 1);
  std::copy(shape.begin(), shape.end(), dims.end() - static_cast<std::ptrdiff_t>(shape.size()));
  return dims;
}

}  // namespace

std::vector<Eltwise> eltwise_of(const ir::Op& op) {
  return std::visit([](const auto& o) { return functions(o); }, op);
}

std::optional<dnnl::algorithm> binary_of(const ir::Op& op) {
  if (std::holds_alternative<ir::Add>(op)) return algorithm::binary_add;
  if (std::holds_alternative<ir::Sub>(op)) return algorithm::binary_sub;
  if (std::holds_alternative<ir::Mul>(op)) return algorithm::binary_mul;
  if (std::holds_alternative<ir::Div>(op)) return algorithm::binary_div;
  return std::nullopt;
}

bool may_add(const ir::Op& op) { return std::holds_alternative<ir::Conv>(op); }

bool may_activate(const ir::Op& op) { return ir::is_linear(op) || std::holds_alternative<ir::Add>(op); }

// One primitive for each function: oneDNN 2.6 takes functions after the first as post-ops, and computes them
// wrong.
bool emit_eltwise(Builder& builder, const std::vector<Eltwise>& chain, const Work& work) {
  const ir::ValueId x = work.node.inputs[0];
  const Desc layout = builder.layout(x);
  std::vector<dnnl::eltwise_forward::primitive_desc> chosen;
  for (const Eltwise& function : chain)
    chosen.emplace_back(dnnl::eltwise_forward::desc(dnnl::prop_kind::forward_inference, function.algorithm,
                                                    layout, function.alpha, function.beta),
                        attributes({}), cpu());
  SlotId in = builder.read(x, layout);
  const SlotId out = builder.write(work.output, layout);
  for (const auto& description : chosen) {
    builder.execute(dnnl::eltwise_forward(description), {{DNNL_ARG_SRC, in}, {DNNL_ARG_DST, out}},
                    description.scratchpad_desc());
    in = out;
  }
  return true;
}

// The first operand has the output's shape; the second may stretch. A sum or product may change sides.
bool emit_binary(Builder& builder, dnnl::algorithm algorithm, const Work& work) {
  ir::ValueId a = work.node.inputs[0];
  ir::ValueId b = work.node.inputs[1];
  const Shape& y = builder.shape(work.output);
  const bool commutes = algorithm == algorithm::binary_add || algorithm == algorithm::binary_mul;
  if (builder.shape(a) != y && commutes) std::swap(a, b);
  if (builder.shape(a) != y) return false;
  const Desc layout = builder.layout(a);
  const Dims stretched = aligned(builder.shape(b), dims_of(y).size());
  const bool same = builder.shape(b) == y;
  const Desc other = same ? layout : plain(stretched);
  const dnnl::binary::primitive_desc chosen(dnnl::binary::desc(algorithm, layout, other, layout),
                                            attributes(work.after), cpu());
  const SlotId left = builder.read(a, layout);
  const SlotId right = same ? builder.read(b, layout) : builder.read_as(b, other, other);
  const SlotId out = builder.write(work.output, layout);
  builder.execute(dnnl::binary(chosen),
                  {{DNNL_ARG_SRC_0, left}, {DNNL_ARG_SRC_1, right}, {DNNL_ARG_DST, out}},
                  chosen.scratchpad_desc());
  return true;
}

}  // namespace halftone::float_engine
