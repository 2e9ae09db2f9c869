#include "tests/oracle/case_arrays.h"

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/numeric/bias.h"
#include "halftone/numeric/packing.h"
#include "halftone/qgraph/integer_loops.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/qgraph/lower_op.h"
#include "halftone/quant/weights.h"

namespace halftone::oracle {
namespace {

using numeric::Arithmetic;
using numeric::Granularity;

template <typename T>
Tensor list(const std::vector<T>& values) {
  return Tensor::from<T>({static_cast<std::int64_t>(values.size())}, values);
}

numeric::QuantParams params_of(const ActivationCase& a) {
  return {.format = a.format, .affine = {a.affine()}};
}

// Quantizes an input, notes it, and returns the integers.
Tensor add_input(Arrays& out, const std::string& name, const ActivationCase& a, const Tensor& real,
                 numeric::Rounding rounding) {
  const Tensor q = numeric::quantize(real, params_of(a), rounding);
  out[name] = real;
  out["s_" + name] = list<float>({a.affine().scale});
  out["z_" + name] = list<std::int32_t>({a.affine().zero_point});
  out["q_" + name] = q.cast(DType::int32);
  return q;
}

void add_bounds(Arrays& out, const Case& c, std::int32_t lo, std::int32_t hi) {
  out["s_y"] = list<float>({c.y.affine().scale});
  out["z_y"] = list<std::int32_t>({c.y.affine().zero_point});
  out["y_lo"] = list<std::int32_t>({lo});
  out["y_hi"] = list<std::int32_t>({hi});
}

// Runs one node through the interpreter.
Tensor interpret(const Case& c, qgraph::Op op,
                 const std::vector<std::pair<const ActivationCase*, Tensor>>& inputs) {
  qgraph::QuantizedGraph graph;
  graph.arithmetic = {c.arithmetic, c.mantissa_bits, c.rounding};
  std::vector<Tensor> tensors;
  qgraph::Node node{.name = "layer", .op = std::move(op)};
  for (const auto& [format, q] : inputs) {
    graph.values.push_back({"x" + std::to_string(tensors.size()), q.shape(), q.dtype(), params_of(*format)});
    graph.inputs.push_back(static_cast<qgraph::ValueId>(tensors.size()));
    tensors.push_back(q);
  }
  node.inputs = graph.inputs;
  node.output = static_cast<qgraph::ValueId>(tensors.size());
  graph.values.push_back({"y", {}, numeric::storage_dtype(c.y.format), params_of(c.y)});
  graph.outputs = {node.output};
  graph.nodes.push_back(std::move(node));
  return qgraph::Interpreter(std::move(graph)).run(tensors).at(0).cast(DType::int32);
}

struct Weights {
  Tensor q;
  numeric::QuantParams params;
  std::optional<numeric::Codebook> codebook;
  std::vector<std::int64_t> bias;
};

Weights fixed_point_weights(const Case& c, std::span<const float> bias, float s_x) {
  Weights w{.params = {.format = c.w.format, .affine = {numeric::fixed_point(c.w.fraction_length)}}};
  for (float b : bias)
    w.params.affine[0].scale = numeric::weight_scale_for_bias(b, s_x, w.params.affine[0].scale, true);
  w.q = numeric::quantize(c.weights, w.params);
  return w;
}

Weights codebook_weights(const Case& c) {
  Weights w{.params = {.format = c.w.format, .affine = {{c.w.codebook_scale, 0}}}};
  w.codebook = numeric::Codebook{c.w.codebook, c.w.codebook_scale};
  std::vector<std::int32_t> q;
  for (float v : c.weights.data<float>()) q.push_back(numeric::nearest_code(v, *w.codebook));
  w.q = numeric::from_int32(c.weights.shape(), q, numeric::storage_dtype(c.w.format));
  return w;
}

Granularity granularity_of(const Case& c) {
  return c.w.granularity == "tensor"    ? Granularity::tensor
         : c.w.granularity == "channel" ? Granularity::channel
                                        : Granularity::group;
}

// `bias` is what the 2^30 rule looks at.
Weights make_weights(const Case& c, std::span<const float> bias, float s_x) {
  if (c.w.kind == "fixed_point") return fixed_point_weights(c, bias, s_x);
  if (c.w.kind == "codebook") return codebook_weights(c);
  if (c.w.kind != "affine") {
    const auto code = c.w.kind == "binary" ? numeric::Code::binary : numeric::Code::ternary;
    auto coded = numeric::code_weights(c.weights, code, granularity_of(c), 0, c.w.power_of_two);
    return {.q = coded.integers, .params = coded.params};
  }
  const auto w = quant::quantize_weights(
      c.weights, bias, s_x,
      {.format = c.w.format,
       .scheme = c.w.scheme == "symmetric" ? numeric::Scheme::symmetric : numeric::Scheme::asymmetric,
       .power_of_two = c.w.power_of_two,
       .granularity = granularity_of(c),
       .axis = 0,
       .group_size = c.w.group_size});
  return {.q = w.q, .params = w.params};
}

void add_packed(Arrays& out, const Case& c, const Tensor& q) {
  const int bits = c.w.kind == "binary" ? 1 : c.w.format.bits;
  if (bits != 1 && bits != 2 && bits != 4) return;
  const auto values = numeric::to_int32(q);
  const std::int64_t row = q.size() / q.dim(0);
  out["packed"] = list<std::uint8_t>(c.w.kind == "binary" ? numeric::pack_binary(values, row)
                                                          : numeric::pack(values, row, bits));
}

void set_bias(const Case& c, qgraph::LinearSpec& spec, std::span<const float> bias) {
  const auto channels = static_cast<std::size_t>(c.weights.dim(0));
  spec.q_b.assign(channels, 0);
  spec.b_shift.assign(channels, 0);
  if (c.w.granularity == "group") spec.b.assign(bias.begin(), bias.end());
  if (bias.empty() || c.w.granularity == "group") return;
  for (std::size_t m = 0; m < channels; ++m) {
    const float s_w = spec.w.affine[spec.w.affine.size() == 1 ? 0 : m].scale;
    if (c.bias_bits == 32) {
      spec.q_b[m] = numeric::quantize_bias(bias[m], spec.x.tensor().scale, s_w);
      if (std::llabs(spec.q_b[m]) > numeric::kMaxBias) throw InputError("bias", "does not fit");
    } else {
      const auto narrow = numeric::quantize_bias_narrow(bias[m], spec.x.tensor().scale, s_w, c.bias_bits);
      spec.q_b[m] = narrow.q;
      spec.b_shift[m] = narrow.shift;
    }
  }
}

void add_linear(Arrays& out, const qgraph::Linear& linear, const qgraph::LinearSpec& spec) {
  std::vector<float> scales;
  std::vector<std::int32_t> zeros;
  for (const numeric::Affine& affine : spec.w.affine) {
    scales.push_back(affine.scale);
    zeros.push_back(affine.zero_point);
  }
  const bool groups = linear.group_size > 0;
  out["s_w"] = list(scales);
  out["z_w"] = list(zeros);
  out["q_w"] = spec.q_w.cast(DType::int32);
  out["q_b"] = list(groups ? linear.bias : spec.q_b);
  out["b_shift"] = list<std::int32_t>(spec.b_shift);
  out["bound"] = list(linear.bound);
  const qgraph::Requantizer& r = linear.requantizer;
  if (groups) out["m"] = list(linear.group_m);
  if (!groups && spec.arithmetic.mode == Arithmetic::fixed) out["m"] = list(r.m);
  if (spec.arithmetic.mode == Arithmetic::onnx)
    out["m_onnx"] = list(r.real);
  else
    out["shift"] = list<std::int32_t>(r.shift);
}

void compute_linear(Arrays& out, const Case& c, const Tensor& q_x) {
  std::span<const float> bias;
  if (c.bias_bits > 0) {
    bias = c.bias.data<float>();
    out["b"] = c.bias;
  }
  out["w"] = c.weights;
  qgraph::LinearSpec spec;
  spec.name = "layer";
  spec.x = params_of(c.x);
  spec.y = params_of(c.y);
  spec.lo = c.y.format.qmin();
  spec.hi = c.y.format.qmax();
  spec.arithmetic = {c.arithmetic, c.mantissa_bits, c.rounding};
  const Weights w =
      make_weights(c, c.bias_bits == 32 ? bias : std::span<const float>(), spec.x.tensor().scale);
  spec.q_w = w.q;
  spec.w = w.params;
  spec.codebook = w.codebook;
  set_bias(c, spec, bias);
  if (c.activation == "relu") qgraph::fold_clip(0.0F, INFINITY, spec.y, spec.lo, spec.hi, c.rounding);
  if (c.activation == "clip") qgraph::fold_clip(c.clip_lo, c.clip_hi, spec.y, spec.lo, spec.hi, c.rounding);
  add_bounds(out, c, spec.lo, spec.hi);
  add_packed(out, c, spec.q_w);
  const qgraph::Linear linear = qgraph::make_linear(spec);
  add_linear(out, linear, spec);

  const std::int32_t z_x = spec.x.tensor().zero_point;
  const auto x = numeric::to_int32(q_x);
  if (c.op == "gemm") {
    out["q_y"] = interpret(c, qgraph::Gemm{linear, z_x}, {{&c.x, q_x}});
    std::vector<std::int64_t> acc(static_cast<std::size_t>(out["q_y"].size()));
    qgraph::integer::gemm(x, z_x, linear, acc);
    out["acc"] = Tensor::from<std::int64_t>(out["q_y"].shape(), acc);
    return;
  }
  const ir::Window window{.kernel = c.kernel, .strides = c.strides, .pads = c.pads, .dilations = c.dilations};
  const qgraph::Conv conv{linear, z_x, ir::resolve(window, {q_x.dim(2), q_x.dim(3)}, "conv"), c.groups};
  out["q_y"] = interpret(c, conv, {{&c.x, q_x}});
  std::vector<std::int64_t> acc(static_cast<std::size_t>(out["q_y"].size()));
  qgraph::integer::conv(x, q_x.dim(0), conv, acc);
  out["acc"] = Tensor::from<std::int64_t>(out["q_y"].shape(), acc);
}

void add_requantizer(Arrays& out, const Case& c, const qgraph::Requantizer& r, bool m_in_shift_mode) {
  if (c.arithmetic == Arithmetic::onnx) {
    out["m_onnx"] = list(r.real);
    return;
  }
  if (c.arithmetic == Arithmetic::fixed || m_in_shift_mode) out["m"] = list(r.m);
  out["shift"] = list<std::int32_t>(r.shift);
}

void compute_pool(Arrays& out, const Case& c, const Tensor& q_x, qgraph::FusedOp fused) {
  fused.op = ir::AveragePool{.window = {.kernel = c.kernel, .strides = c.strides, .pads = c.pads},
                             .count_include_pad = c.count_include_pad};
  const auto pool = std::get<qgraph::AveragePool>(qgraph::lower_op(fused));
  add_requantizer(out, c, pool.requantizer, true);
  out["q_y"] = interpret(c, pool, {{&c.x, q_x}});
  std::vector<std::int64_t> acc(static_cast<std::size_t>(out["q_y"].size()));
  std::vector<std::int32_t> entry(acc.size());
  qgraph::integer::average_pool(numeric::to_int32(q_x), q_x.dim(0) * q_x.dim(1), pool, acc, entry);
  out["acc"] = Tensor::from<std::int64_t>(out["q_y"].shape(), acc);
}

void compute_add(Arrays& out, const Case& c, const Tensor& q_x, qgraph::FusedOp fused) {
  const Tensor q_x2 = add_input(out, "x2", c.x2, c.input2, c.rounding);
  fused.op = ir::Add{};
  fused.x.push_back(params_of(c.x2));
  const auto add = std::get<qgraph::Add>(qgraph::lower_op(fused));
  out["q_y"] = interpret(c, add, {{&c.x, q_x}, {&c.x2, q_x2}});
  if (c.arithmetic == Arithmetic::onnx) return;
  add_requantizer(out, c, add.requantizer, true);
  const auto index = ir::broadcast_index(q_x.shape(), q_x.shape());
  std::vector<std::int64_t> acc(index.size());
  qgraph::integer::add(numeric::to_int32(q_x), index, numeric::to_int32(q_x2), index, add, acc);
  out["acc"] = Tensor::from<std::int64_t>(q_x.shape(), acc);
}

void compute_table(Arrays& out, const Case& c, const Tensor& q_x, qgraph::FusedOp fused) {
  fused.op = c.function == "tanh" ? ir::Op(ir::Tanh{}) : ir::Op(ir::Sigmoid{});
  const auto table = std::get<qgraph::Table>(qgraph::lower_op(fused));
  out["table"] = list(table.entries);
  out["q_y"] = interpret(c, table, {{&c.x, q_x}});
}

void compute_requantize(Arrays& out, const Case& c, const Tensor& q_x, const qgraph::FusedOp& fused) {
  const qgraph::Requantize op = qgraph::make_requantize(fused.x[0], fused.y, fused.arithmetic, "layer");
  add_requantizer(out, c, op.requantizer, false);
  out["q_y"] = interpret(c, op, {{&c.x, q_x}});
  std::vector<std::int64_t> acc;
  for (std::int32_t q : numeric::to_int32(q_x)) acc.push_back(q - op.x_zero_point);
  out["acc"] = Tensor::from<std::int64_t>(q_x.shape(), acc);
}

}  // namespace

Arrays compute(const Case& c) {
  Arrays out;
  const Tensor q_x = add_input(out, "x", c.x, c.input, c.rounding);
  if (c.is_linear()) {
    compute_linear(out, c, q_x);
    return out;
  }
  add_bounds(out, c, c.y.format.qmin(), c.y.format.qmax());
  const qgraph::FusedOp fused{.name = "layer",
                              .op = ir::Identity{},
                              .x = {params_of(c.x)},
                              .x_shape = q_x.shape(),
                              .y = params_of(c.y),
                              .arithmetic = {c.arithmetic, c.mantissa_bits, c.rounding}};
  if (c.op == "average_pool") compute_pool(out, c, q_x, fused);
  if (c.op == "add") compute_add(out, c, q_x, fused);
  if (c.op == "table") compute_table(out, c, q_x, fused);
  if (c.op == "requantize") compute_requantize(out, c, q_x, fused);
  return out;
}

}  // namespace halftone::oracle
