#include "halftone/rtl/layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>

#include "halftone/base/error.h"

namespace halftone::rtl {
namespace {

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

const qgraph::Node& node_named(const qgraph::QuantizedGraph& graph, const std::string& layer) {
  std::string names;
  for (const qgraph::Node& node : graph.nodes) {
    if (qgraph::linear_of(node.op) == nullptr) continue;
    if (node.name == layer) return node;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", node.name);
  }
  throw UsageError("--layer", fmt::format("got '{}', expected a layer of integers: {}", layer, names.empty() ? "there is none" : names));
}

[[noreturn]] void refuse(const qgraph::Node& node, const std::string& why, Remedy remedy = Remedy::none) {
  throw UnsupportedError(fmt::format("layer '{}'", node.name), why, remedy);
}

// M = m·2^−shift for each channel, a bare shift with the m that stands for 1.
void set_requantizer(const qgraph::Node& node, const qgraph::Linear& linear, Product& product, int& mantissa) {
  const auto entry = [&](const auto& list, std::int64_t channel) { return list[list.size() == 1 ? 0 : at(channel)]; };
  if (linear.requantizer.is_float()) refuse(node, "is in arithmetic 'onnx', which rounds in float32: expected 'fixed' or 'shift' (quantize --arithmetic)");
  if (const auto* multiply = std::get_if<qgraph::MultiplyShift>(&linear.requantizer.scaling)) {
    mantissa = multiply->mantissa_bits;
    for (std::int64_t c = 0; c < linear.channels; ++c) {
      product.multiplier.push_back(entry(multiply->m, c));
      product.shift.push_back(entry(multiply->shift, c));
    }
  } else {
    mantissa = 8;
    for (std::int64_t c = 0; c < linear.channels; ++c) {
      product.multiplier.push_back(std::int64_t{1} << (mantissa - 2));
      product.shift.push_back(entry(std::get<qgraph::Shift>(linear.requantizer.scaling).shift, c) + mantissa - 2);
    }
  }
  if (std::ranges::any_of(product.shift, [](int shift) { return shift < 0; })) refuse(node, "has a multiplier so large that it shifts left, expected smaller scales of weights or inputs");
}

}  // namespace

LayerProduct::LayerProduct(const qgraph::QuantizedGraph& graph, const std::string& layer) : node_(&node_named(graph, layer)), linear_(qgraph::linear_of(node_->op)) {
  const auto* conv = std::get_if<qgraph::Conv>(&node_->op);
  const auto* gemm = std::get_if<qgraph::Gemm>(&node_->op);
  if (conv != nullptr && (conv->groups != 1 || conv->spread != std::array<std::int64_t, 2>{1, 1})) refuse(*node_, "is a convolution of groups or transposed, expected one group");
  if (linear_->group_size > 0) refuse(*node_, "has scales by group, expected scales by tensor or channel");
  const numeric::Grid& x = graph.value(node_->inputs[0]).grid.value();
  const numeric::Grid& y = graph.value(node_->output()).grid.value();
  if (x.format.bits > 8 || y.format.bits > 8) refuse(*node_, fmt::format("takes {} and gives {} bits, expected 8 at most", x.format.bits, y.format.bits));
  x_zero_point_ = gemm != nullptr ? gemm->x_zero_point : conv->x_zero_point;
  offset_ = x.format.qmax() > 127 ? 128 : 0;
  constants_.shape = {0, linear_->reduction, linear_->channels};
  constants_.b = qgraph::centred_weights(*linear_);
  if (std::ranges::any_of(constants_.b, [](std::int32_t w) { return w < -128 || w > 127; })) refuse(*node_, "has weights beyond 8 signed bits");
  for (std::int64_t c = 0; c < linear_->channels; ++c) {
    const auto first = constants_.b.begin() + static_cast<std::ptrdiff_t>(c * linear_->reduction);
    const std::int64_t sum = std::accumulate(first, first + static_cast<std::ptrdiff_t>(linear_->reduction), std::int64_t{0});
    constants_.bias.push_back(linear_->bias[at(c)] + (offset_ - x_zero_point_) * sum);
  }
  constants_.bounds = linear_->requantizer.bounds;
  set_requantizer(*node_, *linear_, constants_, mantissa_);
}

std::int64_t LayerProduct::depth() const { return linear_->reduction; }
std::int64_t LayerProduct::cols() const { return linear_->channels; }

ArrayGeometry LayerProduct::geometry(ArrayGeometry wanted, std::int64_t rows) const {
  std::int64_t largest = 0;
  for (std::int64_t c = 0; c < linear_->channels; ++c) largest = std::max({largest, linear_->bound[at(c)], std::abs(constants_.bias[at(c)])});
  wanted.acc_width = std::max(17, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(largest))) + 1);
  if (wanted.acc_width > 32) refuse(*node_, fmt::format("has sums of {} bits, expected 32 at most", wanted.acc_width));
  wanted.mantissa = mantissa_;
  wanted.rounding = linear_->requantizer.rounding;
  return with_memories_for(wanted, {rows, depth(), cols()});
}

Product LayerProduct::product(const Tensor& x) const {
  const std::vector<std::int32_t> q = numeric::to_int32(x);
  Product product = constants_;
  const auto* conv = std::get_if<qgraph::Conv>(&node_->op);
  if (conv == nullptr) {
    for (std::int32_t v : q) product.a.push_back(v - offset_);
    product.shape.rows = static_cast<std::int64_t>(q.size()) / depth();
    return product;
  }
  const ir::PlaneAxes& axes = conv->axes;
  const std::int64_t depth_in = linear_->reduction / (axes[0].kernel * axes[1].kernel), plane = axes[0].in * axes[1].in;
  const std::int64_t batch = x.dim(0);
  product.shape.rows = batch * axes[0].out * axes[1].out;
  product.a.reserve(at(product.shape.rows * depth()));
  const auto place = [&](const ir::WindowAxis& axis, std::int64_t out, std::int64_t tap) { return out * axis.stride - axis.pad_begin + tap * axis.dilation; };
  for (std::int64_t n = 0; n < batch; ++n)
    for (std::int64_t oh = 0; oh < axes[0].out; ++oh)
      for (std::int64_t ow = 0; ow < axes[1].out; ++ow)
        for (std::int64_t c = 0; c < depth_in; ++c)
          for (std::int64_t kh = 0; kh < axes[0].kernel; ++kh)
            for (std::int64_t kw = 0; kw < axes[1].kernel; ++kw) {
              const std::int64_t ih = place(axes[0], oh, kh), iw = place(axes[1], ow, kw);
              const bool inside = ih >= 0 && ih < axes[0].in && iw >= 0 && iw < axes[1].in;
              product.a.push_back((inside ? q[at((n * depth_in + c) * plane + ih * axes[1].in + iw)] : x_zero_point_) - offset_);
            }
  return product;
}

Tensor LayerProduct::output(const std::vector<std::int32_t>& results, const Tensor& like) const {
  const auto* conv = std::get_if<qgraph::Conv>(&node_->op);
  if (conv == nullptr) return numeric::from_int32(like.shape(), results, like.dtype());
  const std::int64_t places = conv->axes[0].out * conv->axes[1].out;
  std::vector<std::int32_t> y(results.size());
  for (std::int64_t row = 0; row < static_cast<std::int64_t>(results.size()) / cols(); ++row)
    for (std::int64_t c = 0; c < cols(); ++c) y[at((row / places * cols() + c) * places + row % places)] = results[at(row * cols() + c)];
  return numeric::from_int32(like.shape(), y, like.dtype());
}

}  // namespace halftone::rtl
