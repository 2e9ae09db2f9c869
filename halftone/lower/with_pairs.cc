#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ir/infer.h"
#include "halftone/lower/integer_form.h"
#include "halftone/numeric/arithmetic_spec.h"
#include "halftone/lower/qoperators.h"

namespace halftone::lower {
namespace {

// A Clip of integers as one of the reals they stand for; nothing where its bounds would not be these integers
// again once they are quantized.
std::optional<ir::Clip> on_reals(const ir::Clip& clip, const numeric::QuantParams& y,
                                 numeric::Rounding rounding) {
  std::array<float, 2> real{clip.lo, clip.hi};
  for (float& bound : real) {
    const auto q = static_cast<std::int32_t>(
        std::clamp<float>(bound, static_cast<float>(y.format.qmin()), static_cast<float>(y.format.qmax())));
    bound = numeric::dequantize(q, y.tensor());
    if (numeric::quantize(bound, y.tensor(), y.format, rounding) != q) return std::nullopt;
  }
  return ir::Clip{.lo = real[0], .hi = real[1]};
}

// Takes a graph's nodes one after another into the same graph, with pairs.
class PairWriter {
 public:
  explicit PairWriter(ir::Graph graph)
      : graph_(std::move(graph)),
        consumers_(ir::consumers(graph_)),
        uses_(ir::use_counts(graph_)),
        absorbed_(graph_.nodes.size()),
        rounding_(numeric::read_arithmetic(graph_.metadata).rounding) {
    before_ = std::move(graph_.nodes);
    graph_.nodes.clear();
  }

  ir::Graph run() {
    for (std::size_t n = 0; n < before_.size(); ++n) {
      node_ = &before_[n];
      if (absorbed_[n]) continue;
      if (!std::visit([&](const auto& op) { return expand(op); }, node_->op)) graph_.nodes.push_back(*node_);
    }
    return ir::without_dead_nodes(graph_);
  }

 private:
  template <typename Op>
  bool expand(const Op&) {
    return false;
  }

  bool expand(const ir::QLinearConv& op) {
    std::vector<ir::ValueId> inputs{real(0), real(3, 0)};
    if (const ir::ValueId bias = input(8); bias != ir::kNoValue) inputs.push_back(real_bias(bias, 1, 4));
    return finish(op.conv, inputs, 6);
  }

  bool expand(const ir::QLinearMatMul&) {
    const auto rank = static_cast<std::int64_t>(graph_.value(input(3)).shape.size());
    return finish(ir::MatMul{}, {real(0), real(3, rank - 1)}, 6);
  }

  bool expand(const ir::QGemm& op) {
    std::vector<ir::ValueId> inputs{real(0), real(3, op.op.trans_b ? 0 : 1)};
    if (const ir::ValueId bias = input(6); bias != ir::kNoValue) inputs.push_back(real_bias(bias, 1, 4));
    return finish(op.op, inputs, 7);
  }

  template <ir::QuantizedOp Op>
  bool expand(const Op& op) {
    const ir::QuantizedLayout layout = ir::layout_of(op, node_->inputs.size());
    std::vector<ir::ValueId> inputs;
    for (std::size_t i = layout.first; i + 2 < node_->inputs.size() + layout.first; i += 3)
      inputs.push_back(real(i));
    return finish(op.op, inputs, layout.y);
  }

  // A narrow format is clamped to its bounds before it is quantized to the whole one.
  bool expand(const ir::Quant& op) {
    const Tensor* scale = graph_.constant(input(1));
    const Tensor* zero = graph_.constant(input(2));
    const Tensor* bits = graph_.constant(input(3));
    if (scale == nullptr || zero == nullptr || bits == nullptr)
      throw UnsupportedError(ir::describe(graph_, *node_), "scale, zero point or bits computed at run time", Remedy::fold_constants);
    const ir::QuantRange range = ir::quant_range(op, *bits);
    const auto [s, axis] = by_axis(*scale);
    const auto [z, zero_axis] = by_axis(*zero);
    const std::int64_t along = std::max(axis, zero_axis);
    const DType dtype = type_of(range.bits, op.is_signed);
    if (!has_pair(range, z, dtype)) return false;
    ir::ValueId q = ir::kNoValue;
    const ir::ValueId s_id = graph_.add_constant(name("scale"), s);
    const Tensor zeros = spread(z, s).cast(dtype == DType::int32 ? DType::int32 : memory_dtype(dtype));
    Tensor typed(dtype, zeros.shape());
    std::ranges::copy(zeros.bytes(), typed.mutable_bytes().begin());
    const ir::ValueId z_id =
        dtype == DType::int32 ? ir::kNoValue : graph_.add_constant(name("zero_point"), typed);
    if (const Tensor* x = graph_.constant(input(0))) {
      q = graph_.add_constant(name("quantized"), integers_of(op, *x, *scale, *zero, range, dtype));
    } else {
      ir::QuantizeLinear quantize{.axis = along, .rounding = op.rounding};
      if (dtype != DType::int32 && range.bits != bits_of(dtype)) quantize.bits = range.bits;
      const ir::ValueId bounded = op.narrow ? clamped(range, s, z) : input(0);
      q = graph_.add_node(quantize, {bounded, s_id, z_id}, name("quantized"));
      graph_.nodes.back().name = graph_.value(q).name;
    }
    std::vector<ir::ValueId> inputs{q, s_id};
    if (z_id != ir::kNoValue) inputs.push_back(z_id);
    graph_.nodes.push_back({node_->name, ir::DequantizeLinear{.axis = along}, inputs, node_->outputs});
    return true;
  }

  // Activations have at most 16 bits; a zero point is one of the integers, and 0 of those beyond 16 bits.
  bool has_pair(const ir::QuantRange& range, const Tensor& zero, DType dtype) const {
    if (dtype == DType::int32 && graph_.constant(input(0)) == nullptr) return false;
    return std::ranges::all_of(zero.data<float>(), [&](float z) {
      return z == std::floor(z) && z >= range.qmin && z <= range.qmax && (dtype != DType::int32 || z == 0.0F);
    });
  }

  static DType type_of(int bits, bool is_signed) {
    if (bits <= 2) return is_signed ? DType::int2 : DType::uint2;
    if (bits <= 4) return is_signed ? DType::int4 : DType::uint4;
    if (bits <= 8) return is_signed ? DType::int8 : DType::uint8;
    if (bits <= 16) return is_signed ? DType::int16 : DType::uint16;
    return DType::int32;
  }

  // A tensor of one dimension that differs from 1 as a list, and that dimension; or a scalar and 0.
  std::pair<Tensor, std::int64_t> by_axis(const Tensor& numbers) const {
    if (numbers.size() == 1) return {numbers.reshaped({}), 0};
    const std::size_t lead = graph_.value(input(0)).shape.size() - numbers.rank();
    for (std::size_t d = 0; d < numbers.rank(); ++d)
      if (numbers.dim(d) == numbers.size())
        return {numbers.reshaped({numbers.size()}), static_cast<std::int64_t>(d + lead)};
    throw UnsupportedError(ir::describe(graph_, *node_), "scales along several dimensions, expected one");
  }

  // z as many times as there are scales.
  static Tensor spread(const Tensor& z, const Tensor& s) {
    if (z.shape() == s.shape()) return z;
    Tensor result(DType::float32, s.shape());
    for (float& v : result.mutable_data<float>()) v = z.data<float>()[0];
    return result;
  }

  Tensor integers_of(const ir::Quant& op, const Tensor& x, const Tensor& scale, const Tensor& zero,
                     const ir::QuantRange& range, DType dtype) const {
    const auto index_s = ir::broadcast_index(scale.shape(), x.shape());
    const auto index_z = ir::broadcast_index(zero.shape(), x.shape());
    std::vector<std::int32_t> q;
    for (std::size_t i = 0; i < index_s.size(); ++i) {
      const float steps = x.data<float>()[i] / scale.data<float>()[static_cast<std::size_t>(index_s[i])];
      const double z = zero.data<float>()[static_cast<std::size_t>(index_z[i])];
      q.push_back(static_cast<std::int32_t>(
          std::clamp(numeric::round_real(double{steps} + z, op.rounding), range.qmin, range.qmax)));
    }
    return numeric::from_int32(x.shape(), q, dtype);
  }

  ir::ValueId clamped(const ir::QuantRange& range, const Tensor& s, const Tensor& z) {
    if (s.size() != 1 || z.size() != 1)
      throw UnsupportedError(ir::describe(graph_, *node_), "activations with scales along a dimension");
    const double scale = s.data<float>()[0];
    const double zero = z.data<float>()[0];
    const ir::ValueId id = graph_.add_node(ir::Clip{.lo = static_cast<float>(scale * (range.qmin - zero)),
                                                    .hi = static_cast<float>(scale * (range.qmax - zero))},
                                           {input(0)}, name("bounded"));
    graph_.nodes.back().name = graph_.value(id).name;
    return id;
  }

  ir::ValueId input(std::size_t i) const {
    return i < node_->inputs.size() ? node_->inputs[i] : ir::kNoValue;
  }
  std::string name(std::string_view what) const {
    return fmt::format("{}_{}", graph_.value(node_->outputs[0]).name, what);
  }

  // The real values of the operand whose integers, scale and zero point are inputs i to i + 2.
  ir::ValueId real(std::size_t i, std::int64_t axis = 1) {
    const ir::ValueId id =
        graph_.add_node(ir::DequantizeLinear{.axis = axis}, {input(i), input(i + 1), input(i + 2)},
                        name(fmt::format("operand{}", i)));
    graph_.nodes.back().name = graph_.value(id).name;
    return id;
  }

  // An int32 bias at the product of two scales.
  ir::ValueId real_bias(ir::ValueId bias, std::size_t s_x, std::size_t s_w) {
    const Tensor* x = graph_.constant(input(s_x));
    const Tensor* w = graph_.constant(input(s_w));
    if (x == nullptr || w == nullptr || x->size() != 1)
      throw UnsupportedError(ir::describe(graph_, *node_), "scales computed at run time, expected constants", Remedy::fold_constants);
    Tensor scale = w->cast(DType::float32);
    for (float& s : scale.mutable_data<float>()) s *= x->cast(DType::float32).data<float>()[0];
    if (scale.size() == 1) scale = scale.reshaped({});
    const ir::ValueId s = graph_.add_constant(name("bias_scale"), scale);
    const ir::ValueId id = graph_.add_node(ir::DequantizeLinear{.axis = 0}, {bias, s}, name("bias"));
    graph_.nodes.back().name = graph_.value(id).name;
    return id;
  }

  // `op` and the Quantize behind it, whose scale and zero point are inputs y and y + 1.
  bool finish(ir::Op op, std::vector<ir::ValueId> inputs, std::size_t y) {
    const bool bounded = takes_bounds(op);
    ir::ValueId result = graph_.add_node(std::move(op), std::move(inputs), name("real"));
    graph_.nodes.back().name = node_->name;
    ir::ValueId q = node_->outputs[0];
    if (bounded) absorb_clip(y, result, q);
    graph_.nodes.push_back(
        {graph_.value(q).name, ir::QuantizeLinear{.rounding = rounding_}, {result, input(y), input(y + 1)}, {q}});
    return true;
  }

  // A Clip that alone reads the integers q goes before their Quantize, where `lower` takes it for bounds.
  void absorb_clip(std::size_t y, ir::ValueId& result, ir::ValueId& q) {
    const auto& readers = consumers_[static_cast<std::size_t>(q)];
    const Tensor* scale = graph_.constant(input(y));
    const Tensor* zero = graph_.constant(input(y + 1));
    if (readers.size() != 1 || uses_[static_cast<std::size_t>(q)] != 1 || scale == nullptr ||
        zero == nullptr || scale->size() != 1)
      return;
    const ir::Node& reader = before_[static_cast<std::size_t>(readers[0])];
    const auto* clip = std::get_if<ir::Clip>(&reader.op);
    if (clip == nullptr) return;
    const ir::Value& integers = graph_.value(q);
    const auto real = on_reals(
        *clip,
        ir::linear_params(ir::QuantizeLinear{}, *scale, zero, integers.dtype, integers.shape,
                          ir::describe(graph_, *node_)),
        rounding_);
    if (!real) return;
    result = graph_.add_node(*real, {result}, name("bounded"));
    graph_.nodes.back().name = reader.name;
    q = reader.outputs[0];
    absorbed_[static_cast<std::size_t>(readers[0])] = true;
  }

  ir::Graph graph_;
  std::vector<std::vector<int>> consumers_;
  std::vector<int> uses_;
  std::vector<bool> absorbed_;  // nodes that became part of another
  numeric::Rounding rounding_;
  ir::Nodes before_;
  const ir::Node* node_ = nullptr;
};

}  // namespace

ir::Graph with_pairs(ir::Graph graph) { return PairWriter(std::move(graph)).run(); }

}  // namespace halftone::lower
