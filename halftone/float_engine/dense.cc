// Products of matrices: Gemm, and MatMul by a matrix, are oneDNN's inner product y[n][m] = b[m] + Σ_k
// x[n][k]·w[m][k], whose weights are laid out once; stacks of matrices are its matmul.
#include "halftone/float_engine/emit.h"

namespace halftone::float_engine {
namespace {

using InnerProduct = dnnl::inner_product_forward;

// [rows, columns] of elements stored so, or stored transposed.
Desc matrix(std::int64_t rows, std::int64_t columns, bool transposed) {
  return strided({rows, columns}, transposed ? Dims{1, rows} : Dims{columns, 1});
}

struct Product {
  Desc x;                           // [n, k], how the elements of input 0 lie
  Desc w;                           // [m, k], those of input 1
  ir::ValueId bias = ir::kNoValue;  // of m elements
};

bool emit_product(Builder& builder, const Product& product, const Work& work) {
  const std::int64_t n = product.x.dims()[0];
  const std::int64_t k = product.x.dims()[1];
  const std::int64_t m = product.w.dims()[0];
  const bool has_bias = product.bias != ir::kNoValue;
  const Desc x = plain({n, k});
  const Desc y = plain({n, m});
  const Desc bias = has_bias ? plain({m}) : Desc();
  const InnerProduct::primitive_desc chosen(
      InnerProduct::desc(dnnl::prop_kind::forward_inference, x, any_layout({m, k}), bias, y),
      attributes(work.after), cpu());
  std::vector<std::pair<int, SlotId>> arguments{
      {DNNL_ARG_SRC, builder.read_as(work.node.inputs[0], product.x, x)},
      {DNNL_ARG_WEIGHTS, builder.read_as(work.node.inputs[1], product.w, chosen.weights_desc())}};
  if (has_bias) arguments.emplace_back(DNNL_ARG_BIAS, builder.read_as(product.bias, bias, bias));
  arguments.emplace_back(DNNL_ARG_DST, builder.write_as(work.output, y, plain(builder.dims(work.output))));
  builder.execute(InnerProduct(chosen), std::move(arguments), chosen.scratchpad_desc());
  return true;
}

// Dimensions before the last two, of one size or 1.
bool has_simple_stacks(const Shape& a, const Shape& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t d = 0; d + 2 < a.size(); ++d)
    if (a[d] != b[d] && a[d] != 1 && b[d] != 1) return false;
  return true;
}

bool emit_stacks(Builder& builder, const Work& work) {
  const ir::ValueId a = work.node.inputs[0];
  const ir::ValueId b = work.node.inputs[1];
  const auto layout_of = [&](ir::ValueId value) { return plain(builder.dims(value)); };
  const dnnl::matmul::primitive_desc chosen(
      dnnl::matmul::desc(layout_of(a), layout_of(b), layout_of(work.output)), attributes(work.after), cpu());
  const SlotId source = builder.read(a, layout_of(a));
  const SlotId weights = builder.read(b, layout_of(b));
  const SlotId result = builder.write(work.output, layout_of(work.output));
  builder.execute(dnnl::matmul(chosen),
                  {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, result}},
                  chosen.scratchpad_desc());
  return true;
}

}  // namespace

bool emit(Builder& builder, const ir::Gemm& op, const Work& work) {
  const auto& inputs = work.node.inputs;
  const Shape& y = builder.shape(work.output);
  const std::int64_t k = builder.shape(inputs[0])[op.trans_a ? 0 : 1];
  const ir::ValueId bias = inputs.size() > 2 ? inputs[2] : ir::kNoValue;
  if (op.alpha != 1.0F) return false;
  if (bias != ir::kNoValue && (op.beta != 1.0F || !ir::is_channel_bias(builder.shape(bias), y[1])))
    return false;
  return emit_product(builder, {matrix(y[0], k, op.trans_a), matrix(y[1], k, !op.trans_b), bias}, work);
}

bool emit(Builder& builder, const ir::MatMul&, const Work& work) {
  const Shape& a = builder.shape(work.node.inputs[0]);
  const Shape& b = builder.shape(work.node.inputs[1]);
  if (b.size() == 2)
    return emit_product(
        builder, {matrix(product(a, 0, a.size() - 1), a.back(), false), matrix(b[1], b[0], true)}, work);
  return has_simple_stacks(a, b) && emit_stacks(builder, work);
}

}  // namespace halftone::float_engine
