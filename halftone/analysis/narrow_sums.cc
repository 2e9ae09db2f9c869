#include "halftone/analysis/narrow_sums.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <variant>

#include "halftone/base/error.h"
#include "halftone/analysis/fixed_weights.h"
#include "halftone/calibration/observer.h"
#include "halftone/quant/weights.h"

namespace halftone::analysis {
namespace {

constexpr int kInputBits = 8;
constexpr int kMostFraction = 31;

using Integers = std::vector<std::int32_t>;

Integers quantize(std::span<const float> reals, const numeric::FixedPoint& fixed,
                  numeric::Overflow overflow) {
  Integers q;
  q.reserve(reals.size());
  for (float r : reals) q.push_back(numeric::to_fixed_point(r, fixed, overflow));
  return q;
}

bool fits(double real, const numeric::FixedPoint& fixed) {
  const double q = std::nearbyint(std::ldexp(real, fixed.fraction_length));
  return q >= fixed.format().qmin() && q <= fixed.format().qmax();
}

// Sums of one patch for all channels: `acc` += patch·w with the overflow after every product. |acc| < 2^23
// and |product| < 2^23 stay within int32.
void add_saturating(const Integers& patch, const std::int32_t* w, int bits, Integers& acc) {
  const std::int32_t most = (std::int32_t{1} << (bits - 1)) - 1;
  for (std::int32_t x : patch) {
    if (x != 0)
      for (std::size_t m = 0; m < acc.size(); ++m) acc[m] = std::clamp(acc[m] + x * w[m], -most - 1, most);
    w += acc.size();
  }
}

// The low bits of a sum do not depend on when the others are dropped.
void add_wrapping(const Integers& patch, const std::int32_t* w, int bits, Integers& acc) {
  std::vector<std::uint32_t> sums(acc.size());
  for (std::int32_t x : patch) {
    if (x != 0)
      for (std::size_t m = 0; m < sums.size(); ++m) sums[m] += static_cast<std::uint32_t>(x * w[m]);
    w += sums.size();
  }
  const int unused = 32 - bits;
  for (std::size_t m = 0; m < sums.size(); ++m)
    acc[m] = static_cast<std::int32_t>(sums[m] << unused) >> unused;
}

bool is_narrow_layer(const ir::Graph& graph, const ir::Node& node) {
  const bool bias = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
  const Shape& y = graph.value(node.outputs[0]).shape;
  if (std::holds_alternative<ir::Conv>(node.op))
    return graph.constant(node.inputs[0]) == nullptr && (!bias || graph.constant(node.inputs[2]) != nullptr);
  if (graph.constant(node.inputs[0]) != nullptr || graph.constant(node.inputs[1])->rank() != 2) return false;
  if (std::holds_alternative<ir::MatMul>(node.op)) return true;
  const auto* gemm = std::get_if<ir::Gemm>(&node.op);
  if (gemm == nullptr || gemm->trans_a || gemm->alpha != 1.0F || gemm->beta != 1.0F) return false;
  return !bias || (graph.constant(node.inputs[2]) != nullptr &&
                   ir::is_channel_bias(graph.constant(node.inputs[2])->shape(), y.back()));
}

// [M, K] of each group as [K, M], one group after the other.
Integers by_product(const Integers& w, std::int64_t groups, std::int64_t channels, std::int64_t reduction) {
  Integers result(w.size());
  for (std::int64_t g = 0; g < groups; ++g)
    for (std::int64_t m = 0; m < channels; ++m)
      for (std::int64_t k = 0; k < reduction; ++k)
        result[static_cast<std::size_t>((g * reduction + k) * channels + m)] =
            w[static_cast<std::size_t>((g * channels + m) * reduction + k)];
  return result;
}

// The elements that one output place reads of an image [depth, H, W]; padding is 0.
void gather(const std::int32_t* image, const ir::PlaneAxes& axes, std::int64_t place,
            Integers& patch) {
  const ir::WindowAxis& rows = axes[0];
  const ir::WindowAxis& columns = axes[1];
  const std::int64_t taps = rows.kernel * columns.kernel;
  for (std::size_t i = 0; i < patch.size(); ++i) {
    const std::int64_t channel = static_cast<std::int64_t>(i) / taps;
    const std::int64_t tap = static_cast<std::int64_t>(i) % taps;
    const std::int64_t h =
        place / columns.out * rows.stride - rows.pad_begin + tap / columns.kernel * rows.dilation;
    const std::int64_t w =
        place % columns.out * columns.stride - columns.pad_begin + tap % columns.kernel * columns.dilation;
    const bool inside = h >= 0 && h < rows.in && w >= 0 && w < columns.in;
    patch[i] = inside ? image[(channel * rows.in + h) * columns.in + w] : 0;
  }
}

}  // namespace

struct NarrowNetwork::Layer {
  std::string input;
  numeric::FixedPoint x;
  NarrowSums sums;
  std::int64_t groups = 1;
  std::int64_t channels = 0;   // of a group
  std::int64_t reduction = 0;  // products in one sum
  Integers w;                  // [groups, reduction, channels]
  std::vector<float> bias;     // [groups·channels], or empty
  std::optional<ir::Conv> conv;
  Shape kernel;  // of the weights of a Conv

  Layer(const ir::Graph& graph, const ir::Node& node, const NarrowSums& s, const InputFormats& inputs)
      : input(graph.value(node.inputs[0]).name), x(inputs.at(input)), sums(s) {
    const Tensor& weights = *graph.constant(node.inputs[1]);
    const auto* gemm = std::get_if<ir::Gemm>(&node.op);
    if (const auto* op = std::get_if<ir::Conv>(&node.op)) {
      conv = *op;
      groups = op->groups;
      kernel = weights.shape();
    }
    const bool rows_are_channels = conv || (gemm != nullptr && gemm->trans_b);
    const std::int64_t all = weights.dim(rows_are_channels ? 0 : 1);
    channels = all / groups;
    reduction = all == 0 ? 0 : weights.size() / all;
    w = quantize(weights.data<float>(), sums.weights, sums.overflow);
    if (rows_are_channels) w = by_product(w, groups, channels, reduction);
    const std::span<const float> b = quant::float_bias(graph, node);
    bias.assign(b.begin(), b.end());
    if (bias.size() == 1) bias.resize(static_cast<std::size_t>(all), bias[0]);
  }

  // Channels [0, channels) of group g for one patch, `apart` elements of y from each other.
  void sum(const Integers& patch, std::int64_t g, float* y, std::int64_t apart) const {
    Integers acc(static_cast<std::size_t>(channels), 0);
    const std::int32_t* of_group = w.data() + g * reduction * channels;
    if (sums.overflow == numeric::Overflow::saturate)
      add_saturating(patch, of_group, sums.bits, acc);
    else
      add_wrapping(patch, of_group, sums.bits, acc);
    const int shift = sums.weights.fraction_length + x.fraction_length;
    for (std::int64_t m = 0; m < channels; ++m) {
      const auto i = static_cast<std::size_t>(g * channels + m);
      const double b = bias.empty() ? 0.0 : bias[i];
      y[m * apart] = static_cast<float>(std::ldexp(acc[static_cast<std::size_t>(m)], -shift) + b);
    }
  }

  void compute(const Tensor& real, Tensor& y) const {
    const Integers q = quantize(real.data<float>(), x, numeric::Overflow::saturate);
    float* out = y.mutable_data<float>().data();
    Integers patch(static_cast<std::size_t>(reduction));
    if (!conv) {
      const std::int64_t rows = reduction == 0 ? 0 : real.size() / reduction;
      for (std::int64_t r = 0; r < rows; ++r) {
        std::copy_n(q.data() + r * reduction, reduction, patch.begin());
        sum(patch, 0, out + r * channels, 1);
      }
      return;
    }
    const auto axes = ir::resolve_plane(ir::kernel_window(*conv, kernel), real.shape(), input);
    const std::int64_t area = axes[0].out * axes[1].out;
    const std::int64_t image = kernel[1] * axes[0].in * axes[1].in;
    for (std::int64_t n = 0; n < real.dim(0) * groups; ++n)
      for (std::int64_t place = 0; place < area; ++place) {
        gather(q.data() + n * image, axes, place, patch);
        sum(patch, n % groups, out + n * channels * area + place, area);
      }
  }
};

InputFormats input_formats(const ir::Graph& graph, const calibration::StatisticsTable& seen) {
  InputFormats formats;
  for (std::size_t n : analysis::fixed_layers(graph)) {
    const std::string& name = graph.value(graph.nodes[n].inputs[0]).name;
    const auto found = seen.find(name);
    if (found == seen.end()) throw InputError("inputs", fmt::format("nothing seen of value '{}'", name));
    const numeric::Range range = calibration::min_max(found->second, {}, 0.0);
    numeric::FixedPoint format{kInputBits, kMostFraction};
    while (!fits(range.lo, format) || !fits(range.hi, format)) --format.fraction_length;
    formats[name] = format;
  }
  return formats;
}

void check_narrow_layers(const ir::Graph& graph) {
  for (std::size_t n : analysis::fixed_layers(graph))
    if (!is_narrow_layer(graph, graph.nodes[n]))
      throw UnsupportedError(ir::describe(graph, graph.nodes[n]),
                             "sums in a narrow accumulator, expected a Conv, MatMul or plain Gemm");
}

NarrowNetwork::NarrowNetwork(const ir::Graph& graph, const NarrowSums& sums, const InputFormats& inputs,
                             std::shared_ptr<const ir::Executor> network)
    : network_(std::move(network)) {
  check_narrow_layers(graph);
  for (std::size_t n : analysis::fixed_layers(graph)) {
    const ir::Node& node = graph.nodes[n];
    layers_.emplace(graph.value(node.outputs[0]).name, Layer(graph, node, sums, inputs));
  }
}

NarrowNetwork::~NarrowNetwork() = default;

std::vector<Tensor> NarrowNetwork::run(std::span<const Tensor> inputs, const ir::Visitor& visit) const {
  std::set<std::string_view> read;
  for (const auto& [output, layer] : layers_) read.insert(layer.input);
  std::map<std::string, Tensor, std::less<>> seen;
  return network_->run(inputs, [&](std::string_view name, Tensor& value) {
    if (const auto layer = layers_.find(name); layer != layers_.end())
      layer->second.compute(seen.at(layer->second.input), value);
    if (visit) visit(name, value);
    if (read.contains(name)) seen.insert_or_assign(std::string(name), value);
  });
}

}  // namespace halftone::analysis
