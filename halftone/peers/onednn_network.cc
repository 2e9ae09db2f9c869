#include "halftone/peers/onednn_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/peers/residual_sums.h"

namespace halftone::peers {
namespace {

using Type = dnnl::memory::data_type;
using qgraph::ValueId;
constexpr auto kInference = dnnl::prop_kind::forward_inference;

// A shape as dimensions: a plane has two of them, the first one 1 where it has one alone.
Dims dims_of(Shape shape) {
  if (shape.size() == 3) shape.insert(shape.begin() + 2, 1);
  return shape.empty() ? Dims{1} : Dims(shape.begin(), shape.end());
}

std::int64_t product(const Dims& dims, std::size_t first) {
  std::int64_t count = 1;
  for (std::size_t d = first; d < dims.size(); ++d) count *= dims[d];
  return count;
}

// The real numbers that a requantizer multiplies by: one, or one a channel.
std::vector<float> real_scales(const qgraph::Requantizer& requantizer) {
  if (const auto* real = std::get_if<qgraph::Float32>(&requantizer.scaling)) return real->M;
  std::vector<float> scales;
  if (const auto* shift = std::get_if<qgraph::Shift>(&requantizer.scaling)) {
    for (int each : shift->shift) scales.push_back(static_cast<float>(std::ldexp(1.0, -each)));
    return scales;
  }
  const auto& multiplier = std::get<qgraph::MultiplyShift>(requantizer.scaling);
  for (std::size_t i = 0; i < multiplier.m.size(); ++i)
    scales.push_back(static_cast<float>(std::ldexp(static_cast<double>(multiplier.m[i]), -multiplier.shift[i])));
  return scales;
}

bool ends_at_zero(const qgraph::Requantizer& requantizer) { return requantizer.bounds.lo == requantizer.bounds.zero_point; }

// Weights as signed bytes, [M, K]; one that is none becomes the nearest.
std::vector<std::int8_t> signed_bytes(const qgraph::Linear& linear) {
  const std::vector<std::int32_t> w = qgraph::centred_weights(linear);
  std::vector<std::int8_t> bytes(w.size());
  std::ranges::transform(w, bytes.begin(), [](std::int32_t v) { return static_cast<std::int8_t>(std::clamp(v, -128, 127)); });
  return bytes;
}

// Whether the weights stand as signed bytes as they are.
bool are_signed_bytes(const qgraph::Linear& linear) {
  return linear.q_w.dtype() == DType::int8 && linear.codebook.empty() &&
         std::ranges::all_of(linear.w_params.affine, [](const numeric::Affine& a) { return a.zero_point == 0; });
}

// The work behind the sums of a layer.
struct Behind {
  std::vector<float> scales;  // one, or one a channel
  bool has_sum = false;
  float sum_scale = 1.0F;
  bool has_relu = false;
};

dnnl::primitive_attr attributes_of(const Behind& behind) {
  dnnl::primitive_attr result = attributes();
  constexpr int kByChannel = 2;  // a bit for each dimension of the result
  result.set_output_scales(behind.scales.size() == 1 ? 0 : kByChannel, behind.scales);
  dnnl::post_ops after;
  if (behind.has_sum) after.append_sum(behind.sum_scale);
  if (behind.has_relu) after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
  result.set_post_ops(after);
  return result;
}

struct Window {
  Dims strides, dilations, kernel, begin, end;
};

// oneDNN counts the elements skipped: its dilation is one less. `end` reaches as far as the last window does.
Window window_of(const ir::PlaneAxes& axes) {
  Window window;
  for (const ir::WindowAxis& axis : axes) {
    window.strides.push_back(axis.stride);
    window.dilations.push_back(axis.dilation - 1);
    window.kernel.push_back(axis.kernel);
    window.begin.push_back(axis.pad_begin);
    window.end.push_back(
        std::max(axis.pad_end, (axis.out - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1 - axis.in - axis.pad_begin));
  }
  return window;
}

class Builder {
 public:
  Builder(const qgraph::QuantizedGraph& graph, std::int64_t batch, OnednnNetwork& network)
      : graph_(graph),
        network_(network),
        chain_(network.chain),
        shapes_(qgraph::shapes_of_batch(graph, batch)),
        macs_(qgraph::multiply_adds(graph, batch)),
        sums_(residual_sums(graph)),
        memories_(graph.values.size()),
        unflattened_(graph.values.size()) {
    for (const auto& [conv, sum] : sums_) taken_.push_back(sum.add);
  }

  void build() {
    for (ValueId id : graph_.inputs) add_input(id);
    for (index_ = 0; index_ < graph_.nodes.size(); ++index_) {
      node_ = &graph_.nodes[index_];
      if (std::ranges::find(taken_, index_) != taken_.end()) continue;
      try {
        std::visit([&](const auto& op) { emit(op); }, node_->op);
      } catch (const dnnl::error& error) {
        if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
        throw UnsupportedError(node_->name, fmt::format("oneDNN has no such {}: {}", qgraph::name_of(node_->op), error.what()));
      }
    }
    for (ValueId id : graph_.outputs) network_.outputs.push_back(output(id));
    chain_.finish();
  }

 private:
  template <typename Op>
  void emit(const Op&) {
    throw UnsupportedError(node_->name, fmt::format("{}, expected an operator that oneDNN has on unsigned bytes", Op::kName));
  }

  void add_input(ValueId id) {
    if (graph_.value(id).dtype != DType::float32)
      throw UnsupportedError(graph_.value(id).name, fmt::format("an input in {}, expected float32", halftone::name_of(graph_.value(id).dtype)));
    const dnnl::memory memory = chain_.allocate(row_major(dims(id), Type::f32));
    at(memories_, id) = memory;
    network_.inputs.push_back(memory);
  }

  void emit(const qgraph::Quantize& op) {
    expect_bytes(node_->output());
    const Dims size = dims(node_->output());
    const Desc wanted = size.size() == 4 ? Desc(size, Type::u8, dnnl::memory::format_tag::nhwc) : row_major(size, Type::u8);
    place(chain_.converted(at(memories_, x()), wanted, 1.0F / op.grid.affine.scale, node_->name));
  }

  void emit(const qgraph::Dequantize& op) {
    const dnnl::memory from = memory(x());
    const bool is_real = from.get_desc().data_type() == Type::f32;  // the layer before it gave floats
    const Desc wanted = row_major(from.get_desc().dims(), Type::f32);
    place(is_real ? chain_.reordered(from, wanted, node_->name) : chain_.converted(from, wanted, op.params.tensor().scale, node_->name));
  }

  void emit(const qgraph::Conv& op) {
    if (op.transposed || op.spread != std::array<std::int64_t, 2>{1, 1}) throw UnsupportedError(node_->name, "a transposed convolution");
    expect_plain(op.linear);
    const dnnl::memory from = memory(x());
    const Dims size = from.get_desc().dims();
    const std::int64_t depth = size.at(1) / op.groups;
    Dims weights{op.linear.channels, depth, op.axes[0].kernel, op.axes[1].kernel};
    if (op.groups > 1) weights = {op.groups, op.linear.channels / op.groups, depth, op.axes[0].kernel, op.axes[1].kernel};
    auto [y, behind] = behind_layer(op.linear.requantizer);
    std::optional<dnnl::memory> residual;
    if (const auto sum = sums_.find(index_); sum != sums_.end()) {
      const qgraph::Node& add = graph_.nodes[sum->second.add];
      for (float& scale : behind.scales) scale *= sum->second.conv_scale;
      behind.has_sum = true;
      behind.sum_scale = sum->second.residual_scale;
      behind.has_relu = ends_at_zero(std::get<qgraph::Add>(add.op).requantizer);
      residual = memory(sum->second.residual);
      y = add.output();
    }
    expect_bytes(y);
    const Window window = window_of(op.axes);
    using Forward = dnnl::convolution_forward;
    const Forward::desc wanted(kInference, dnnl::algorithm::convolution_direct, any_layout(size, Type::u8), any_layout(weights, Type::s8),
                               row_major({op.linear.channels}, Type::s32), residual ? residual->get_desc() : any_layout(dims(y), Type::u8),
                               window.strides, window.dilations, window.begin, window.end);
    const Forward::primitive_desc chosen(wanted, attributes_of(behind), chain_.engine());
    const dnnl::memory to = residual ? *residual : chain_.allocate(chosen.dst_desc());
    run_layer(op.linear, "convolution", chosen, Forward(chosen), from, row_major(weights, Type::s8), to);
    at(memories_, y) = to;
  }

  void emit(const qgraph::Gemm& op) {
    expect_plain(op.linear);
    const dnnl::memory from = rows_of(x(), op.linear.reduction);
    const Dims size = from.get_desc().dims();
    Dims weights = size;
    weights[0] = op.linear.channels;
    auto [y, behind] = behind_layer(op.linear.requantizer);
    const float to_real = scale_to_real(y);
    if (to_real > 0)
      for (float& scale : behind.scales) scale *= to_real;
    else
      expect_bytes(y);
    const Desc result = any_layout({size[0], op.linear.channels}, to_real > 0 ? Type::f32 : Type::u8);
    using Forward = dnnl::inner_product_forward;
    const Forward::primitive_desc chosen = inner_product(from.get_desc(), any_layout(weights, Type::s8), result, attributes_of(behind));
    const dnnl::memory to = chain_.allocate(chosen.dst_desc());
    run_layer(op.linear, "inner_product", chosen, Forward(chosen), from, row_major(weights, Type::s8), to);
    at(memories_, y) = chain_.reshaped(to, dims(y), node_->name);
  }

  // On rows as they lie, where oneDNN has good code for that; else as it likes them.
  dnnl::inner_product_forward::primitive_desc inner_product(const Desc& from, const Desc& weights, const Desc& to,
                                                            const dnnl::primitive_attr& behind) const {
    using Forward = dnnl::inner_product_forward;
    const Desc bias = row_major({to.dims()[1]}, Type::s32);
    try {
      const Forward::primitive_desc chosen({kInference, from, weights, bias, to}, behind, chain_.engine());
      if (std::string_view(chosen.impl_info_str()).find("ref") == std::string_view::npos) return chosen;
    } catch (const dnnl::error& error) {
      if (error.status != dnnl_unimplemented) throw;
    }
    return {{kInference, any_layout(from.dims(), Type::u8), weights, bias, to}, behind, chain_.engine()};
  }

  // The results of a layer, and how it makes them. A function's table that alone reads its result costs nothing but a ReLU in its place.
  std::pair<ValueId, Behind> behind_layer(const qgraph::Requantizer& requantizer) {
    Behind behind{.scales = real_scales(requantizer), .has_relu = ends_at_zero(requantizer)};
    const ValueId y = node_->output();
    const auto reader = only_reader(y);
    if (!reader || !std::holds_alternative<qgraph::Table>(graph_.nodes[*reader].op)) return {y, behind};
    const ValueId table = graph_.nodes[*reader].output();
    expect_bytes(y);
    expect_bytes(table);
    for (float& scale : behind.scales) scale *= graph_.value(y).grid->affine.scale / graph_.value(table).grid->affine.scale;
    behind.has_relu = true;
    taken_.push_back(*reader);
    return {table, behind};
  }

  template <typename Chosen>
  void run_layer(const qgraph::Linear& linear, const char* kind, const Chosen& chosen, const dnnl::primitive& call, const dnnl::memory& from,
                 const Desc& weights, const dnnl::memory& to) {
    const std::vector<std::int8_t> bytes = are_signed_bytes(linear) ? std::vector<std::int8_t>{} : signed_bytes(linear);
    const std::span<const std::byte> w = bytes.empty() ? linear.q_w.bytes() : std::as_bytes(std::span(bytes));
    std::vector<std::int32_t> bias;
    for (std::int64_t each : linear.bias)
      bias.push_back(static_cast<std::int32_t>(
          std::clamp<std::int64_t>(each, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max())));
    const Desc bias_desc = row_major({linear.channels}, Type::s32);
    const dnnl::memory source = chain_.reordered(from, chosen.src_desc(), node_->name);
    chain_.add({.node = node_->name, .kind = kind, .implementation = chosen.impl_info_str(), .multiply_adds = macs_[index_]}, call,
               {{DNNL_ARG_SRC, source},
                {DNNL_ARG_WEIGHTS, chain_.constant(w, weights, chosen.weights_desc())},
                {DNNL_ARG_BIAS, chain_.constant(std::as_bytes(std::span(bias)), bias_desc, bias_desc)},
                {DNNL_ARG_DST, to}},
               chosen.scratchpad_desc());
  }

  void emit(const qgraph::MaxPool& op) { pool(op.axes, dnnl::algorithm::pooling_max); }
  void emit(const qgraph::AveragePool& op) {
    pool(op.axes, op.count_include_pad ? dnnl::algorithm::pooling_avg_include_padding : dnnl::algorithm::pooling_avg_exclude_padding);
  }

  void pool(const ir::PlaneAxes& axes, dnnl::algorithm algorithm) {
    expect_bytes(node_->output());
    const dnnl::memory from = memory(x());
    const Window window = window_of(axes);
    if (window.dilations != Dims{0, 0}) throw UnsupportedError(node_->name, "a pool with dilations");
    using Forward = dnnl::pooling_forward;
    const Forward::desc wanted(kInference, algorithm, from.get_desc(), any_layout(dims(node_->output()), Type::u8), window.strides,
                               window.kernel, window.begin, window.end);
    const Forward::primitive_desc chosen(wanted, attributes(), chain_.engine());
    const dnnl::memory to = chain_.allocate(chosen.dst_desc());
    chain_.add({.node = node_->name, .kind = "pooling", .implementation = chosen.impl_info_str()}, Forward(chosen),
               {{DNNL_ARG_SRC, from}, {DNNL_ARG_DST, to}}, chosen.scratchpad_desc());
    place(to);
  }

  // The sums that no convolution took in.
  void emit(const qgraph::Add& op) {
    expect_bytes(node_->output());
    const dnnl::memory a = memory(x());
    if (dims(node_->inputs[0]) != dims(node_->inputs[1])) throw UnsupportedError(node_->name, "a sum of two shapes, expected one");
    const dnnl::memory b = chain_.reordered(memory(node_->inputs[1]), a.get_desc(), node_->name);
    dnnl::primitive_attr scaled = attributes();
    scaled.set_scales(DNNL_ARG_SRC_0, 0, {op.a.scale / op.y.scale});
    scaled.set_scales(DNNL_ARG_SRC_1, 0, {op.b.scale / op.y.scale});
    if (ends_at_zero(op.requantizer)) {
      dnnl::post_ops after;
      after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
      scaled.set_post_ops(after);
    }
    const dnnl::binary::desc wanted(op.subtract ? dnnl::algorithm::binary_sub : dnnl::algorithm::binary_add, a.get_desc(), b.get_desc(),
                                    a.get_desc());
    const dnnl::binary::primitive_desc chosen(wanted, scaled, chain_.engine());
    const dnnl::memory to = chain_.allocate(chosen.dst_desc());
    chain_.add({.node = node_->name, .kind = "binary", .implementation = chosen.impl_info_str()}, dnnl::binary(chosen),
               {{DNNL_ARG_SRC_0, a}, {DNNL_ARG_SRC_1, b}, {DNNL_ARG_DST, to}}, chosen.scratchpad_desc());
    place(to);
  }

  void emit(const qgraph::Concat& op) {
    expect_bytes(node_->output());
    std::vector<dnnl::memory> from;
    std::vector<Desc> descs;
    for (ValueId id : node_->inputs) {
      from.push_back(memory(id));
      descs.push_back(from.back().get_desc());
    }
    const bool is_plane = shapes_.at(static_cast<std::size_t>(node_->output())).size() == 3;
    const auto axis = static_cast<int>(op.axis) + (is_plane && op.axis == 2 ? 1 : 0);
    const dnnl::concat::primitive_desc chosen(axis, descs, chain_.engine(), attributes());
    const dnnl::memory to = chain_.allocate(chosen.dst_desc());
    Arguments arguments{{DNNL_ARG_DST, to}};
    for (std::size_t i = 0; i < from.size(); ++i) arguments.emplace(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i), from[i]);
    chain_.add({.node = node_->name, .kind = "concat", .implementation = chosen.impl_info_str()}, dnnl::concat(chosen), std::move(arguments),
               chosen.scratchpad_desc());
    place(to);
  }

  // Reshapes cost nothing; a plane whose channels lie innermost waits for a layer that takes it as it is.
  void emit(const qgraph::Move& op) {
    for (std::size_t d = 0; d < op.axes.size(); ++d)
      if (op.axes[d].source != d || op.axes[d].at) throw UnsupportedError(node_->name, "elements that change places, expected a reshape");
    const dnnl::memory from = memory(x());
    const Dims before = from.get_desc().dims();
    const Dims after = dims(node_->output());
    if (after.size() == 2 && before.size() == 4 && before[0] == after[0] && !is_row_major(from.get_desc()))
      at(unflattened_, node_->output()) = from;
    else
      place(chain_.reshaped(from, after, node_->name));
  }

  void emit(const qgraph::Requantize& op) {
    expect_bytes(node_->output());
    const dnnl::memory from = memory(x());
    place(chain_.converted(from, from.get_desc(), real_scales(op.requantizer).at(0), node_->name));
  }

  ValueId x() const { return node_->inputs.at(0); }
  Dims dims(ValueId id) const { return dims_of(shapes_.at(static_cast<std::size_t>(id))); }
  template <typename T>
  static T& at(std::vector<T>& all, ValueId id) {
    return all.at(static_cast<std::size_t>(id));
  }
  void place(const dnnl::memory& memory) { at(memories_, node_->output()) = memory; }

  dnnl::memory memory(ValueId id) {
    if (auto& waiting = at(unflattened_, id); waiting) {
      at(memories_, id) = chain_.reshaped(*waiting, dims(id), node_->name);
      waiting.reset();
    }
    return at(memories_, id);
  }

  // Rows of `depth` elements: [R, K], or a plane [N, C, H, W] that was flattened.
  dnnl::memory rows_of(ValueId id, std::int64_t depth) {
    if (const auto& waiting = at(unflattened_, id); waiting && product(waiting->get_desc().dims(), 1) == depth) return *waiting;
    return chain_.reshaped(memory(id), {product(dims(id), 0) / depth, depth}, node_->name);
  }

  dnnl::memory output(ValueId id) {
    if (graph_.value(id).dtype != DType::float32)
      throw UnsupportedError(graph_.value(id).name, fmt::format("an output in {}, expected float32", halftone::name_of(graph_.value(id).dtype)));
    const dnnl::memory from = memory(id);
    return chain_.reordered(from, row_major(from.get_desc().dims(), Type::f32), graph_.value(id).name);
  }

  // The index of the one node that reads a value, which is no output of the network.
  std::optional<std::size_t> only_reader(ValueId id) const {
    std::optional<std::size_t> found;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n)
      for (ValueId input : graph_.nodes[n].inputs) {
        if (input != id) continue;
        if (found) return std::nullopt;
        found = n;
      }
    return std::ranges::find(graph_.outputs, id) != graph_.outputs.end() ? std::nullopt : found;
  }

  // The scale of a Dequantize that alone reads the value; 0 where there is none.
  float scale_to_real(ValueId id) const {
    const auto reader = only_reader(id);
    const auto* dequantize = reader ? std::get_if<qgraph::Dequantize>(&graph_.nodes[*reader].op) : nullptr;
    return dequantize == nullptr ? 0.0F : dequantize->params.tensor().scale;
  }

  void expect_bytes(ValueId id) const {
    const qgraph::Value& value = graph_.value(id);
    if (!value.grid || value.grid->format.bits > 8)
      throw UnsupportedError(node_->name,
                             fmt::format("'{}' in {}, expected integers of 8 bits", value.name,
                                         value.grid ? numeric::name_of(value.grid->format) : std::string(halftone::name_of(value.dtype))));
  }
  void expect_plain(const qgraph::Linear& linear) const {
    if (linear.group_size > 0) throw UnsupportedError(node_->name, "weights with scales by group, expected by channel");
    if (linear.wide) throw UnsupportedError(node_->name, "sums beyond 32 bits");
  }

  const qgraph::QuantizedGraph& graph_;
  OnednnNetwork& network_;
  OnednnChain& chain_;
  std::vector<Shape> shapes_;
  std::vector<std::int64_t> macs_;  // by node
  std::map<std::size_t, ResidualSum> sums_;
  std::vector<std::size_t> taken_;  // nodes that are parts of layers before them
  std::vector<dnnl::memory> memories_;
  std::vector<std::optional<dnnl::memory>> unflattened_;
  std::size_t index_ = 0;
  const qgraph::Node* node_ = nullptr;
};

}  // namespace

void build(const qgraph::QuantizedGraph& graph, std::int64_t batch, OnednnNetwork& network) { Builder(graph, batch, network).build(); }

}  // namespace halftone::peers
