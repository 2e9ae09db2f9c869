#include "halftone/analysis/lost_parts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "halftone/analysis/channel_error.h"
#include "halftone/quant/float_end.h"

namespace halftone::analysis {
namespace {

constexpr double kMost = 0.5;  // of the channels
constexpr std::int64_t kEnoughInputs = 1 << 15;
constexpr std::int64_t kMostSamples = 8;

double width_of(const numeric::Range& range) { return range.hi - range.lo; }

double enough_steps(const numeric::IntegerFormat& format) {
  return std::min(kEnoughSteps, (format.qmax() - format.qmin()) / 16.0);
}

// Classes of scales that outputs have, or what a float end takes.
std::set<ir::ValueId> output_classes(const ir::Graph& graph, const quant::Plan& plan) {
  std::set<ir::ValueId> classes;
  const auto add = [&](ir::ValueId id) {
    if (id != ir::kNoValue) classes.insert(plan.scale_class[static_cast<std::size_t>(id)]);
  };
  for (ir::ValueId id : graph.outputs) add(id);
  const std::vector<bool> ends = quant::float_end(graph);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (ends[n])
      for (ir::ValueId id : graph.nodes[n].inputs) add(id);
  return classes;
}

void widen(numeric::Range& range, double lo, double hi) { range = {std::min(range.lo, lo), std::max(range.hi, hi)}; }

// `count` times `block` elements, those of one index of the block `block` apart: ranges[b] is of index b.
void widen_block(std::span<const float> elements, std::span<numeric::Range> ranges) {
  const std::size_t block = ranges.size();
  if (block == 1) {
    const auto [lo, hi] = std::ranges::minmax(elements);
    return widen(ranges[0], lo, hi);
  }
  std::vector<float> lo(elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(block));
  std::vector<float> hi = lo;
  for (const float* v = elements.data(); v != elements.data() + elements.size(); v += block)
    for (std::size_t b = 0; b < block; ++b) {
      lo[b] = v[b] < lo[b] ? v[b] : lo[b];
      hi[b] = v[b] > hi[b] ? v[b] : hi[b];
    }
  for (std::size_t b = 0; b < block; ++b) widen(ranges[b], lo[b], hi[b]);
}

// Nothing when most channels have steps enough.
std::optional<LostPart> judged(const ChannelRanges::Ranges& ranges, const quant::ActivationParams& params) {
  LostPart part{.step = params.affine.scale};
  const double enough = enough_steps(params.format) * part.step;
  for (const numeric::Range& range : ranges) {
    part.whole = joined(part.whole, range);
    if (!(width_of(range) > 0.0)) continue;
    ++part.channels;
    if (width_of(range) >= enough) continue;
    if (part.lost++ == 0 || width_of(range) < width_of(part.range)) part.range = range;
  }
  if (part.lost == 0 || static_cast<double>(part.lost) < kMost * static_cast<double>(part.channels)) return std::nullopt;
  return part;
}

}  // namespace

std::vector<LostPart> lost_parts(const ir::Graph& graph, const quant::Parameters& parameters,
                                 const calibration::StatisticsTable& seen) {
  const std::set<ir::ValueId> outputs = output_classes(graph, parameters.plan);
  std::vector<LostPart> lost;
  for (const ir::Node& node : graph.nodes) {
    const auto& params = parameters.activations.at(static_cast<std::size_t>(node.outputs[0]));
    if (!std::holds_alternative<ir::Concat>(node.op) || !params) continue;
    const auto range_of = [&](ir::ValueId id) {
      const auto found = seen.find(graph.value(id).name);
      return found == seen.end() ? numeric::Range{} : found->second.histogram().range();
    };
    numeric::Range whole;
    for (ir::ValueId id : node.inputs) whole = joined(whole, range_of(id));
    const ir::ValueId scale_class = parameters.plan.scale_class[static_cast<std::size_t>(node.outputs[0])];
    for (ir::ValueId id : node.inputs) {
      const LostPart part{.value = graph.value(node.outputs[0]).name,
                          .scale_class = scale_class,
                          .part = graph.value(id).name,
                          .range = range_of(id),
                          .whole = whole,
                          .step = params->affine.scale,
                          .of_output = outputs.contains(scale_class)};
      if (width_of(part.range) > 0.0 && part.steps() < enough_steps(params->format)) lost.push_back(part);
    }
  }
  return lost;
}

bool has_output_scale(const ir::Graph& graph, ir::ValueId id) {
  const quant::Plan plan = quant::plan(graph);
  return output_classes(graph, plan).contains(plan.scale_class.at(static_cast<std::size_t>(id)));
}

ChannelRanges::ChannelRanges(std::vector<std::string> names, std::int64_t samples, std::int64_t inputs_a_sample)
    : names_(std::move(names)) {
  const std::int64_t some = std::clamp<std::int64_t>(kEnoughInputs / std::max<std::int64_t>(inputs_a_sample, 1), 2, kMostSamples);
  every_ = std::max<std::int64_t>((samples + some - 1) / some, 1);
}

void ChannelRanges::see(std::int64_t sample, const ir::Watched& watched) {
  if (sample % every_ != 0 || watched.elements.empty() || watched.channel_block == 0) return;
  const auto block = static_cast<std::size_t>(watched.channel_block);
  const std::lock_guard lock(mutex_);
  for (const std::size_t axis : channel_axes(watched.shape.size())) {
    const auto channels = static_cast<std::size_t>(watched.shape[axis]);
    Ranges& ranges = ranges_[{names_.at(watched.output), axis}];
    if (ranges.empty()) ranges.assign(channels, {HUGE_VAL, -HUGE_VAL});
    if (ranges.size() != channels) continue;  // a size that changes is none of channels
    // In [N, C / block, inner, block], `run` elements belong to `width` channels.
    const std::size_t width = axis == 1 ? block : 1;
    const std::size_t run = axis == 1 ? watched.elements.size() / static_cast<std::size_t>(watched.shape[0]) / channels * block : block;
    for (std::size_t begin = 0; begin < watched.elements.size(); begin += run) {
      const std::size_t first = begin / run * width % channels;
      widen_block(watched.elements.subspan(begin, run), std::span(ranges).subspan(first, width));
    }
  }
}

std::vector<LostPart> lost_channels(const ir::Graph& graph, const quant::Parameters& parameters, const ChannelRanges& seen) {
  const std::set<ir::ValueId> outputs = output_classes(graph, parameters.plan);
  std::map<ir::ValueId, LostPart> by_class;  // values that share a scale lose the same channels
  for (const auto& [key, ranges] : seen.ranges()) {
    const std::optional<ir::ValueId> id = graph.find(key.first);
    if (!id || !parameters.activations.at(static_cast<std::size_t>(*id))) continue;
    std::optional<LostPart> part = judged(ranges, *parameters.activations[static_cast<std::size_t>(*id)]);
    if (!part) continue;
    part->value = key.first;
    part->scale_class = parameters.plan.scale_class[static_cast<std::size_t>(*id)];
    part->of_output = outputs.contains(part->scale_class);
    by_class.try_emplace(part->scale_class, *part);
  }
  std::vector<LostPart> lost;
  for (auto& [id, part] : by_class) lost.push_back(std::move(part));
  return lost;
}

}  // namespace halftone::analysis
