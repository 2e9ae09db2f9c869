#include "halftone/ptq/channel_means.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace halftone::ptq {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double density(double x) {
  return std::isinf(x) ? 0.0 : std::exp(-x * x / 2.0) / std::sqrt(2.0 * std::numbers::pi);
}

double distribution(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2.0; }

struct Bounds {
  double lo = -kInfinity;
  double hi = kInfinity;
};

std::optional<Bounds> bounds_of(const ir::Op& op) {
  if (std::holds_alternative<ir::Relu>(op)) return Bounds{.lo = 0.0};
  if (const auto* clip = std::get_if<ir::Clip>(&op); clip != nullptr && clip->lo <= clip->hi)
    return Bounds{clip->lo, clip->hi};
  return std::nullopt;
}

// Zeros that an average counts make it smaller.
bool keeps_means(const ir::Graph& graph, const ir::Node& node) {
  if (const auto* pool = std::get_if<ir::AveragePool>(&node.op)) return !pool->count_include_pad;
  if (!std::holds_alternative<ir::Flatten>(node.op))
    return std::holds_alternative<ir::GlobalAveragePool>(node.op);
  const Shape& x = graph.value(node.inputs[0]).shape;
  const Shape& y = graph.value(node.outputs[0]).shape;
  return x.size() >= 2 && y.size() == 2 && x[1] == y[1];
}

// The source of value `id`, and the bounds it goes through.
ir::ValueId walk_back(const ir::Graph& graph, ir::ValueId id, Bounds& bounds) {
  const std::vector<int> producer = ir::producers(graph);
  for (;;) {
    const int n = producer[static_cast<std::size_t>(id)];
    if (n < 0) return id;
    const ir::Node& node = graph.nodes[static_cast<std::size_t>(n)];
    if (const auto found = bounds_of(node.op)) {
      bounds = *found;
      return node.inputs[0];
    }
    if (!keeps_means(graph, node)) return id;
    id = node.inputs[0];
  }
}

}  // namespace

NormalTable batch_norm_outputs(const ir::Graph& graph) {
  NormalTable known;
  for (const ir::Node& node : graph.nodes) {
    const auto* norm = std::get_if<ir::BatchNormalization>(&node.op);
    if (norm == nullptr || norm->training) continue;
    const Tensor* gamma = graph.constant(node.inputs[1]);
    const Tensor* beta = graph.constant(node.inputs[2]);
    if (gamma == nullptr || beta == nullptr || gamma->dtype() != DType::float32 ||
        beta->dtype() != DType::float32)
      continue;
    std::vector<Normal>& channels = known[graph.value(node.outputs[0]).name];
    for (std::size_t c = 0; c < static_cast<std::size_t>(gamma->size()); ++c)
      channels.push_back({beta->data<float>()[c], std::abs(double{gamma->data<float>()[c]})});
  }
  return known;
}

double clipped_mean(const Normal& x, double lo, double hi) {
  if (x.deviation == 0.0) return std::min(std::max(x.mean, lo), hi);
  const double a = (lo - x.mean) / x.deviation;
  const double b = (hi - x.mean) / x.deviation;
  const double below = std::isinf(lo) ? 0.0 : lo * distribution(a);
  const double above = std::isinf(hi) ? 0.0 : hi * distribution(-b);
  return below + above + x.mean * (distribution(b) - distribution(a)) +
         x.deviation * (density(a) - density(b));
}

ir::ValueId source_of_means(const ir::Graph& graph, ir::ValueId id) {
  Bounds bounds;
  return walk_back(graph, id, bounds);
}

std::optional<std::vector<double>> channel_means(const ir::Graph& graph, ir::ValueId id,
                                                 const NormalTable& known) {
  Bounds bounds;
  const auto found = known.find(graph.value(walk_back(graph, id, bounds)).name);
  if (found == known.end()) return std::nullopt;
  std::vector<double> means;
  for (const Normal& channel : found->second) means.push_back(clipped_mean(channel, bounds.lo, bounds.hi));
  return means;
}

}  // namespace halftone::ptq
