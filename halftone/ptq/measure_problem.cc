#include "halftone/ptq/measure_problem.h"

#include <algorithm>

#include "halftone/base/parallel_for.h"
#include "halftone/quant/weights.h"

namespace halftone::ptq {
namespace {

constexpr std::uint64_t kMaxRows = 32768;
constexpr std::uint64_t kMaxElements = 48 << 20;  // of all rows together
constexpr std::int64_t kRowsOfHessian = 16;       // a piece of work
constexpr std::int64_t kBlock = 1024;             // rows added in float32

// splitmix64: the same places on every machine.
std::uint64_t scattered(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

// Rows x̂ [R, K] and y [R, M] of one group.
struct Rows {
  std::int64_t count = 0;
  std::vector<float> x;
  std::vector<float> y;
};

// How a layer's places follow from its tensors: row p of a batch reads K inputs and gives M outputs.
class Places {
 public:
  Places(const ir::Graph& graph, const ir::Node& node, std::int64_t group, const Tensor& x)
      : conv_(std::get_if<ir::Conv>(&node.op)) {
    const Tensor& w = *graph.constant(node.inputs[1]);
    if (conv_ == nullptr) {
      inputs = w.dim(ir::weight_axis(node.op) == 0 ? 1 : 0);
      channels = w.size() / inputs;
      count = x.size() / inputs;
      return;
    }
    axes_ = ir::resolve_plane(ir::kernel_window(*conv_, w.shape()), x.shape(), "Conv");
    depth_ = w.dim(1);
    first_ = group * depth_;
    all_ = x.dim(1);
    inputs = w.size() / w.dim(0);
    channels = w.dim(0) / conv_->groups;
    all_channels_ = w.dim(0);
    first_channel_ = group * channels;
    count = x.dim(0) * axes_[0].out * axes_[1].out;
  }

  std::int64_t inputs = 0;
  std::int64_t channels = 0;
  std::int64_t count = 0;

  void read_inputs(const float* x, std::int64_t place, float* row) const {
    if (conv_ == nullptr) {
      std::copy_n(x + place * inputs, inputs, row);
      return;
    }
    const auto [n, oh, ow] = at(place);
    for (std::int64_t c = 0; c < depth_; ++c) {
      const float* plane = x + (n * all_ + first_ + c) * axes_[0].in * axes_[1].in;
      for (std::int64_t kh = 0; kh < axes_[0].kernel; ++kh) {
        const std::int64_t ih = oh * axes_[0].stride - axes_[0].pad_begin + kh * axes_[0].dilation;
        for (std::int64_t kw = 0; kw < axes_[1].kernel; ++kw) {
          const std::int64_t iw = ow * axes_[1].stride - axes_[1].pad_begin + kw * axes_[1].dilation;
          const bool inside = ih >= 0 && ih < axes_[0].in && iw >= 0 && iw < axes_[1].in;
          *row++ = inside ? plane[ih * axes_[1].in + iw] : 0.0F;
        }
      }
    }
  }

  void read_outputs(const float* y, std::int64_t place, float* row) const {
    if (conv_ == nullptr) {
      std::copy_n(y + place * channels, channels, row);
      return;
    }
    const auto [n, oh, ow] = at(place);
    const std::int64_t plane = axes_[0].out * axes_[1].out;
    for (std::int64_t m = 0; m < channels; ++m)
      row[m] = y[(n * all_channels_ + first_channel_ + m) * plane + oh * axes_[1].out + ow];
  }

 private:
  struct At {
    std::int64_t n, oh, ow;
  };
  At at(std::int64_t place) const {
    const std::int64_t plane = axes_[0].out * axes_[1].out;
    return {place / plane, place % plane / axes_[1].out, place % axes_[1].out};
  }

  const ir::Conv* conv_;
  ir::PlaneAxes axes_;
  std::int64_t depth_ = 0;
  std::int64_t first_ = 0;
  std::int64_t all_ = 0;
  std::int64_t all_channels_ = 0;
  std::int64_t first_channel_ = 0;
};

Rows gather(const Walk& walk, const ir::Node& node, std::int64_t group) {
  const Batches& x = walk.quantized(node.inputs[0]);
  const Batches& y = walk.real(node.outputs[0]);
  std::uint64_t total = 0;
  std::vector<Places> places;
  for (const Tensor& batch : x) {
    places.emplace_back(walk.graph(), node, group, batch);
    total += static_cast<std::uint64_t>(places.back().count);
  }
  const auto inputs = static_cast<std::uint64_t>(places[0].inputs);
  const std::uint64_t wanted = std::max<std::uint64_t>(1, std::min(kMaxRows, kMaxElements / inputs));
  Rows rows;
  std::uint64_t index = 0;
  for (std::size_t b = 0; b < x.size(); ++b)
    for (std::int64_t p = 0; p < places[b].count; ++p, ++index) {
      if (total > wanted && scattered(index) % total >= wanted) continue;
      const auto at = static_cast<std::size_t>(rows.count++);
      rows.x.resize((at + 1) * inputs);
      rows.y.resize((at + 1) * static_cast<std::size_t>(places[b].channels));
      places[b].read_inputs(x[b].data<float>().data(), p, rows.x.data() + at * inputs);
      places[b].read_outputs(y[b].data<float>().data(), p,
                             rows.y.data() + at * static_cast<std::size_t>(places[b].channels));
    }
  return rows;
}

void centre(std::vector<float>& rows, std::int64_t count, std::size_t columns) {
  std::vector<double> mean(columns, 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i) mean[i % columns] += rows[i];
  for (double& m : mean) m /= static_cast<double>(count);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(rows[i] - mean[i % columns]);
}

// aᵀb / R of a [R, A] and b [R, B]; of a symmetric one the upper triangle is computed, and mirrored.
std::vector<float> product(const std::vector<float>& a, std::int64_t a_columns, const std::vector<float>& b,
                           std::int64_t b_columns, std::int64_t count, bool symmetric, int threads) {
  std::vector<float> result(static_cast<std::size_t>(a_columns * b_columns));
  const std::int64_t pieces = (a_columns + kRowsOfHessian - 1) / kRowsOfHessian;
  parallel_for(pieces, threads, [&](std::int64_t piece) {
    const std::int64_t first = piece * kRowsOfHessian;
    const std::int64_t last = std::min(a_columns, first + kRowsOfHessian);
    std::vector<double> sums(static_cast<std::size_t>((last - first) * b_columns), 0.0);
    std::vector<float> block(sums.size());
    for (std::int64_t from = 0; from < count; from += kBlock) {
      std::ranges::fill(block, 0.0F);
      for (std::int64_t r = from; r < std::min(count, from + kBlock); ++r) {
        const float* row = b.data() + r * b_columns;
        for (std::int64_t i = first; i < last; ++i) {
          const float factor = a[static_cast<std::size_t>(r * a_columns + i)];
          if (factor == 0.0F) continue;
          float* out = block.data() + (i - first) * b_columns;
          for (std::int64_t j = symmetric ? first : 0; j < b_columns; ++j) out[j] += factor * row[j];
        }
      }
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += block[i];
    }
    for (std::size_t i = 0; i < sums.size(); ++i)
      result[static_cast<std::size_t>(first * b_columns) + i] =
          static_cast<float>(sums[i] / static_cast<double>(count));
  });
  for (std::int64_t i = 0; symmetric && i < a_columns; ++i)
    for (std::int64_t j = 0; j < i; ++j)
      result[static_cast<std::size_t>(i * b_columns + j)] = result[static_cast<std::size_t>(j * b_columns + i)];
  return result;
}

}  // namespace

bool can_be_reconstructed(const ir::Graph& graph, const ir::Node& node) {
  if (std::holds_alternative<ir::ConvTranspose>(node.op)) return false;
  const Tensor& w = *graph.constant(node.inputs[1]);
  return w.size() <= kMostProblemInputs * w.dim(static_cast<std::size_t>(ir::weight_axis(node.op)));
}

std::int64_t groups_of(const ir::Node& node) {
  const auto* conv = std::get_if<ir::Conv>(&node.op);
  return conv == nullptr ? 1 : conv->groups;
}

LayerProblem measure_problem(const Walk& walk, std::size_t n, std::int64_t group, bool centred) {
  const ir::Graph& graph = walk.graph();
  const ir::Node& node = graph.nodes[n];
  const Places places(graph, node, group, walk.quantized(node.inputs[0]).at(0));
  Rows rows = gather(walk, node, group);
  LayerProblem problem{.channels = places.channels, .inputs = places.inputs};
  const auto columns = static_cast<std::size_t>(places.channels);
  if (centred) {
    centre(rows.x, rows.count, static_cast<std::size_t>(places.inputs));
    centre(rows.y, rows.count, columns);
  } else if (const auto bias = quant::float_bias(graph, node); !bias.empty()) {
    for (std::size_t i = 0; i < rows.y.size(); ++i)
      rows.y[i] -= bias[channel_place(graph, node, group, static_cast<std::int64_t>(i % columns))];
  }
  problem.hessian = product(rows.x, places.inputs, rows.x, places.inputs, rows.count, true, walk.threads());
  problem.target = product(rows.y, places.channels, rows.x, places.inputs, rows.count, false, walk.threads());
  problem.weights.resize(problem.target.size());
  const auto weights = graph.constant(node.inputs[1])->data<float>();
  for (std::int64_t m = 0; m < places.channels; ++m)
    for (std::int64_t k = 0; k < places.inputs; ++k)
      problem.weights[static_cast<std::size_t>(m * places.inputs + k)] =
          weights[weight_place(graph, node, group, m, k)];
  return problem;
}

std::size_t channel_place(const ir::Graph& graph, const ir::Node& node, std::int64_t group, std::int64_t m) {
  const auto* conv = std::get_if<ir::Conv>(&node.op);
  if (conv == nullptr) return static_cast<std::size_t>(m);
  return static_cast<std::size_t>(group * (graph.constant(node.inputs[1])->dim(0) / conv->groups) + m);
}

std::size_t weight_place(const ir::Graph& graph, const ir::Node& node, std::int64_t group, std::int64_t m,
                         std::int64_t k) {
  const Tensor& w = *graph.constant(node.inputs[1]);
  if (ir::weight_axis(node.op) == 1) return static_cast<std::size_t>(k * w.dim(1) + m);
  return channel_place(graph, node, group, m) * static_cast<std::size_t>(w.size() / w.dim(0)) +
         static_cast<std::size_t>(k);
}

}  // namespace halftone::ptq
