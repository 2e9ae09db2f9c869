#include "tests/oracle/case_arrays.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "halftone/base/error.h"
#include "halftone/numeric/code_weights.h"
#include "halftone/numeric/bias.h"
#include "halftone/numeric/packing.h"
#include "halftone/qgraph/integer_loops.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/lower/fused_op.h"
#include "halftone/lower/make_linear.h"
#include "halftone/qgraph/onnx_loops.h"
#include "halftone/quant/weights.h"

namespace halftone::oracle {
namespace {

using numeric::Arithmetic;
using numeric::Granularity;

template <typename T>
Tensor list(const std::vector<T>& values) {
  return Tensor::from<T>({static_cast<std::int64_t>(values.size())}, values);
}

numeric::Grid grid_of(const ActivationCase& a) { return {a.format, a.affine()}; }

// Quantizes an input, notes it, and returns the integers.
Tensor add_input(Arrays& out, const std::string& name, const ActivationCase& a, const Tensor& real,
                 numeric::Rounding rounding) {
  const Tensor q = numeric::quantize(real, numeric::per_tensor(grid_of(a)), rounding);
  out[name] = real;
  out["s_" + name] = list<float>({a.affine().scale});
  out["z_" + name] = list<std::int32_t>({a.affine().zero_point});
  out["q_" + name] = q.cast(DType::int32);
  return q;
}

// The layer without its op and weights.
lower::FusedOp fused_op(const Case& c) {
  lower::FusedOp fused{.name = "layer",
                        .op = ir::Identity{},
                        .x = {grid_of(c.x)},
                        .x_shape = c.input.shape(),
                        .y = grid_of(c.y),
                        .arithmetic = {c.arithmetic, c.mantissa_bits, c.rounding}};
  if (c.activation == "relu") fused.lo = 0.0F;
  if (c.activation == "clip") {
    fused.lo = c.clip_lo;
    fused.hi = c.clip_hi;
  }
  return fused;
}

// y's bounds with the activation folded into them.
std::pair<std::int32_t, std::int32_t> bounds_of(const Case& c) {
  const lower::FusedOp fused = fused_op(c);
  std::int32_t lo = c.y.format.qmin();
  std::int32_t hi = c.y.format.qmax();
  if (c.activation != "none") lower::fold_clip(fused.lo, fused.hi, fused.y, lo, hi, c.rounding);
  return {lo, hi};
}

void add_output(Arrays& out, const Case& c) {
  const auto [lo, hi] = bounds_of(c);
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
    graph.values.push_back({"x" + std::to_string(tensors.size()), q.shape(), q.dtype(), grid_of(*format)});
    graph.inputs.push_back(static_cast<qgraph::ValueId>(tensors.size()));
    tensors.push_back(q);
  }
  node.inputs = graph.inputs;
  node.outputs = {static_cast<qgraph::ValueId>(tensors.size())};
  graph.values.push_back({"y", {}, numeric::storage_dtype(c.y.format), grid_of(c.y)});
  graph.outputs = node.outputs;
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

// The bias that the 2^30 rule of section 5 looks at. Channels of several groups that share a scale have no
// such rule: there the layer is refused.
std::span<const float> ruling_bias(const Case& c) {
  const bool shared = c.is_transposed() && c.groups > 1 && c.w.granularity == "channel";
  return c.bias_bits == 32 && !shared ? c.bias.data<float>() : std::span<const float>();
}

Weights make_weights(const Case& c) {
  const std::span<const float> bias = ruling_bias(c);
  const float s_x = c.x.affine().scale;
  if (c.w.kind == "fixed_point") return fixed_point_weights(c, bias, s_x);
  if (c.w.kind == "codebook") return codebook_weights(c);
  if (c.w.kind != "affine") {
    const auto code = c.w.kind == "binary" ? numeric::Code::binary : numeric::Code::ternary;
    auto coded = numeric::code_weights(c.weights, code, granularity_of(c), c.weight_axis(), c.w.power_of_two);
    return {.q = coded.integers, .params = coded.params};
  }
  const auto w = quant::quantize_weights(
      c.weights, bias, s_x,
      {.format = c.w.format,
       .scheme = c.w.scheme == "symmetric" ? numeric::Scheme::symmetric : numeric::Scheme::asymmetric,
       .power_of_two = c.w.power_of_two,
       .granularity = granularity_of(c),
       .axis = c.weight_axis(),
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

void set_bias(const Case& c, lower::LinearSpec& spec) {
  const auto channels = static_cast<std::size_t>(c.channels());
  spec.q_b.assign(channels, 0);
  spec.b_shift.assign(channels, 0);
  if (c.bias_bits == 0) return;
  const std::span<const float> bias = c.bias.data<float>();
  if (c.w.granularity == "group") {
    spec.b.assign(bias.begin(), bias.end());
    return;
  }
  for (std::size_t m = 0; m < channels; ++m) {
    const float s_w = spec.w.affine[spec.w.affine.size() == 1 ? 0 : m].scale;
    if (c.bias_bits == 32) {
      spec.q_b[m] = numeric::quantize_bias(bias[m], spec.x.affine.scale, s_w);
      if (std::llabs(spec.q_b[m]) > numeric::kMaxBias) throw InputError("bias", "does not fit");
    } else {
      const auto narrow = numeric::quantize_bias_narrow(bias[m], spec.x.affine.scale, s_w, c.bias_bits);
      spec.q_b[m] = narrow.q;
      spec.b_shift[m] = narrow.shift;
    }
  }
}

void add_requantizer(Arrays& out, const qgraph::Requantizer& r) {
  if (const auto* multiply = std::get_if<qgraph::MultiplyShift>(&r.scaling)) {
    out["m"] = list(multiply->m);
    out["shift"] = list<std::int32_t>(multiply->shift);
  } else if (const auto* shift = std::get_if<qgraph::Shift>(&r.scaling)) {
    out["shift"] = list<std::int32_t>(shift->shift);
  } else {
    out["m_onnx"] = list(std::get<qgraph::Float32>(r.scaling).M);
  }
}

// `q_b` and `b_shift` as they were before they became linear.bias.
void add_linear(Arrays& out, const Case& c, const qgraph::Linear& linear,
                const std::vector<std::int64_t>& q_b, const std::vector<int>& b_shift) {
  std::vector<float> scales;
  std::vector<std::int32_t> zeros;
  for (const numeric::Affine& affine : linear.w_params.affine) {
    scales.push_back(affine.scale);
    zeros.push_back(affine.zero_point);
  }
  const bool groups = linear.group_size > 0;
  out["s_w"] = list(scales);
  out["z_w"] = list(zeros);
  out["q_w"] = linear.q_w.cast(DType::int32);
  add_packed(out, c, linear.q_w);
  out["q_b"] = list(groups ? linear.bias : q_b);
  out["b_shift"] = list<std::int32_t>(b_shift);
  out["bound"] = list(linear.bound);
  if (groups) out["m"] = list(linear.group_m);
  add_requantizer(out, linear.requantizer);
}

qgraph::Linear compute_weights(Arrays& out, const Case& c) {
  lower::LinearSpec spec;
  spec.name = "layer";
  spec.x = grid_of(c.x);
  spec.y = grid_of(c.y);
  std::tie(spec.lo, spec.hi) = bounds_of(c);
  spec.arithmetic = {c.arithmetic, c.mantissa_bits, c.rounding};
  const Weights w = make_weights(c);
  spec.q_w = w.q;
  spec.w = w.params;
  if (w.codebook) spec.codebook = w.codebook->entries;
  set_bias(c, spec);
  const qgraph::Linear linear = lower::make_linear(spec);
  add_linear(out, c, linear, spec.q_b, spec.b_shift);
  return linear;
}

// Sums that the loops left in `acc`, in the shape of the layer's output.
void add_sums(Arrays& out, const std::vector<std::int64_t>& acc) {
  out["acc"] = Tensor::from<std::int64_t>(out["q_y"].shape(), acc);
}

void compute_gemm(Arrays& out, const Case& c, const Tensor& q_x) {
  const qgraph::Gemm gemm{compute_weights(out, c), c.x.affine().zero_point};
  out["q_y"] = interpret(c, gemm, {{&c.x, q_x}});
  std::vector<std::int64_t> acc(static_cast<std::size_t>(out["q_y"].size()));
  qgraph::integer::gemm(numeric::to_int32(q_x), gemm.x_zero_point, gemm.linear, centred_weights(gemm.linear), acc);
  add_sums(out, acc);
}

void run_conv(Arrays& out, const Case& c, const Tensor& q_x, const qgraph::Conv& conv) {
  out["q_y"] = interpret(c, conv, {{&c.x, q_x}});
  std::vector<std::int64_t> acc(static_cast<std::size_t>(out["q_y"].size()));
  qgraph::integer::conv(numeric::to_int32(q_x), q_x.dim(0), conv, centred_weights(conv.linear), acc);
  add_sums(out, acc);
}

ir::Window window_of(const Case& c) {
  return {.kernel = c.kernel, .strides = c.strides, .pads = c.pads, .dilations = c.dilations};
}

void compute_conv(Arrays& out, const Case& c, const Tensor& q_x) {
  run_conv(out, c, q_x,
           {compute_weights(out, c), c.x.affine().zero_point,
            ir::resolve_plane(window_of(c), q_x.shape(), "conv"), c.groups});
}

// Through lower_op, which turns the kernel around.
void compute_conv_transpose(Arrays& out, const Case& c, const Tensor& q_x) {
  const Weights w = make_weights(c);
  lower::FusedOp fused = fused_op(c);
  fused.op =
      ir::ConvTranspose{.window = window_of(c), .groups = c.groups, .output_padding = c.output_padding};
  fused.weights = {w.q, w.params};
  if (c.bias_bits > 0) fused.real_bias = c.bias;
  const auto conv = std::get<qgraph::Conv>(lower::lower_op(fused));
  const std::vector<int> unshifted(conv.linear.bias.size(), 0);
  add_linear(out, c, conv.linear, conv.linear.bias, unshifted);
  run_conv(out, c, q_x, conv);
}

void compute_linear(Arrays& out, const Case& c, const Tensor& q_x) {
  if (c.bias_bits > 0) out["b"] = c.bias;
  out["w"] = c.weights;
  if (c.op == "gemm") compute_gemm(out, c, q_x);
  if (c.op == "conv") compute_conv(out, c, q_x);
  if (c.is_transposed()) compute_conv_transpose(out, c, q_x);
}

// One window over the whole input is a GlobalAveragePool too.
ir::Op pool_op(const Case& c) {
  const Shape& x = c.input.shape();
  const bool whole = std::equal(x.begin() + 2, x.end(), c.kernel.begin(), c.kernel.end()) &&
                     std::ranges::all_of(c.pads, [](std::int64_t pad) { return pad == 0; });
  if (whole && !c.count_include_pad) return ir::GlobalAveragePool{};
  return ir::AveragePool{.window = {.kernel = c.kernel, .strides = c.strides, .pads = c.pads},
                         .count_include_pad = c.count_include_pad};
}

void compute_pool(Arrays& out, const Case& c, const Tensor& q_x) {
  lower::FusedOp fused = fused_op(c);
  fused.op = pool_op(c);
  const auto pool = std::get<qgraph::AveragePool>(lower::lower_op(fused));
  out["q_y"] = interpret(c, pool, {{&c.x, q_x}});
  if (c.arithmetic == Arithmetic::onnx && !qgraph::onnx::covers_input(pool)) return;
  add_requantizer(out, pool.requantizer);
  std::vector<std::int64_t> acc(static_cast<std::size_t>(out["q_y"].size()));
  std::vector<std::int32_t> entry(acc.size());
  qgraph::integer::average_pool(numeric::to_int32(q_x), q_x.dim(0) * q_x.dim(1), pool, acc, entry);
  add_sums(out, acc);
}

// `loop` makes the sums of a Node.
template <typename Node, typename Loop>
void compute_pair(Arrays& out, const Case& c, const Tensor& q_x, ir::Op op, Loop loop) {
  constexpr bool kIsMul = std::is_same_v<Node, qgraph::Mul>;
  const Tensor q_x2 = add_input(out, "x2", c.x2, c.input2, c.rounding);
  lower::FusedOp fused = fused_op(c);
  fused.op = std::move(op);
  fused.x.push_back(grid_of(c.x2));
  const auto node = std::get<Node>(lower::lower_op(fused));
  out["q_y"] = interpret(c, node, {{&c.x, q_x}, {&c.x2, q_x2}});
  if (c.arithmetic == Arithmetic::onnx && !kIsMul) return;
  add_requantizer(out, node.requantizer);
  if constexpr (!kIsMul) out["m"] = list(std::vector<std::int64_t>{node.m_a, node.m_b});
  const Shape& shape = out["q_y"].shape();
  std::vector<std::int64_t> acc(static_cast<std::size_t>(out["q_y"].size()));
  loop(numeric::to_int32(q_x), ir::broadcast_index(q_x.shape(), shape), numeric::to_int32(q_x2),
       ir::broadcast_index(q_x2.shape(), shape), node, acc);
  add_sums(out, acc);
}

void compute_table(Arrays& out, const Case& c, const Tensor& q_x, const qgraph::Table& table) {
  out["table"] = list(table.entries);
  out["q_y"] = interpret(c, table, {{&c.x, q_x}});
}

void compute_function(Arrays& out, const Case& c, const Tensor& q_x) {
  lower::FusedOp fused = fused_op(c);
  fused.op = c.function == "tanh" ? ir::Op(ir::Tanh{}) : ir::Op(ir::Sigmoid{});
  compute_table(out, c, q_x, std::get<qgraph::Table>(lower::lower_op(fused)));
}

void compute_requantize(Arrays& out, const Case& c, const Tensor& q_x) {
  const lower::FusedOp fused = fused_op(c);
  const qgraph::Op op = lower::make_requantize(fused.x[0], fused.y, fused.arithmetic, "layer");
  if (c.arithmetic == Arithmetic::onnx) return compute_table(out, c, q_x, std::get<qgraph::Table>(op));
  const auto& node = std::get<qgraph::Requantize>(op);
  add_requantizer(out, node.requantizer);
  out["q_y"] = interpret(c, node, {{&c.x, q_x}});
  std::vector<std::int64_t> acc;
  for (std::int32_t q : numeric::to_int32(q_x)) acc.push_back(q - node.x_zero_point);
  add_sums(out, acc);
}

}  // namespace

Arrays compute(const Case& c) {
  Arrays out;
  const Tensor q_x = add_input(out, "x", c.x, c.input, c.rounding);
  add_output(out, c);
  if (c.is_linear()) compute_linear(out, c, q_x);
  if (c.op == "average_pool") compute_pool(out, c, q_x);
  if (c.op == "add") compute_pair<qgraph::Add>(out, c, q_x, ir::Add{}, qgraph::integer::add);
  if (c.op == "sub") compute_pair<qgraph::Add>(out, c, q_x, ir::Sub{}, qgraph::integer::add);
  if (c.op == "mul") compute_pair<qgraph::Mul>(out, c, q_x, ir::Mul{}, qgraph::integer::multiply);
  if (c.op == "table") compute_function(out, c, q_x);
  if (c.op == "requantize") compute_requantize(out, c, q_x);
  return out;
}

}  // namespace halftone::oracle
