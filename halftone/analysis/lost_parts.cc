#include "halftone/analysis/lost_parts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "halftone/analysis/channel_error.h"
#include "halftone/quant/float_end.h"

namespace halftone::analysis {
namespace {

constexpr double kMost = 0.5;  // of the channels

double width_of(const numeric::Range& range) { return range.hi - range.lo; }

numeric::Range joined(const numeric::Range& a, const numeric::Range& b) {
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
}

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

// The smallest and the largest number of every index along a dimension.
using ChannelRanges = std::vector<numeric::Range>;

void observe(const Tensor& value, std::size_t axis, ChannelRanges& ranges) {
  const auto channels = static_cast<std::size_t>(value.dim(axis));
  const auto inner = static_cast<std::size_t>(product(value.shape(), axis + 1, value.rank()));
  const auto numbers = value.data<float>();
  if (ranges.empty()) ranges.assign(channels, {HUGE_VAL, -HUGE_VAL});
  if (ranges.size() != channels) return;  // a size that changes is none of channels
  for (std::size_t begin = 0; begin < numbers.size(); begin += inner) {
    const auto [lo, hi] = std::ranges::minmax(numbers.subspan(begin, inner));
    numeric::Range& range = ranges[begin / inner % channels];
    range = {std::min<double>(range.lo, lo), std::max<double>(range.hi, hi)};
  }
}

// By value and dimension, over all samples.
using RangesByAxis = std::map<std::pair<ir::ValueId, std::size_t>, ChannelRanges>;

// Values are seen one after another, so that no run holds more of them than it has to.
RangesByAxis channel_ranges(const ir::Graph& graph, const std::vector<ir::ValueId>& ids, const Samples& samples,
                            const BatchOptions& options, const quant::MakeExecutor& make_executor) {
  std::map<std::string, ir::ValueId, std::less<>> wanted;
  for (ir::ValueId id : ids) wanted.emplace(graph.value(id).name, id);
  const auto executor = make_executor(graph);
  RangesByAxis all;
  std::mutex mutex;
  for_batches(samples, options, [&](const Batch& batch) {
    executor->run(batch.inputs, [&](std::string_view name, Tensor& value) {
      const auto found = wanted.find(name);
      if (found == wanted.end() || value.size() == 0) return;
      const std::lock_guard lock(mutex);
      for (std::size_t axis : channel_axes(value.rank())) observe(value, axis, all[{found->second, axis}]);
    });
  });
  return all;
}

// Nothing when most channels have steps enough.
std::optional<LostPart> judged(const ChannelRanges& ranges, const quant::ActivationParams& params) {
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
                                 const quant::StatisticsTable& seen) {
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

std::vector<LostPart> lost_channels(const ir::Graph& graph, const quant::Parameters& parameters, const Samples& samples,
                                    const BatchOptions& options, const quant::MakeExecutor& make_executor) {
  std::vector<ir::ValueId> ids;
  for (std::size_t v = 0; v < parameters.activations.size(); ++v)
    if (parameters.activations[v] && graph.values[v].dtype == DType::float32) ids.push_back(static_cast<ir::ValueId>(v));
  if (ids.empty()) return {};
  const std::set<ir::ValueId> outputs = output_classes(graph, parameters.plan);
  std::map<ir::ValueId, LostPart> by_class;  // values that share a scale lose the same channels
  for (const auto& [key, ranges] : channel_ranges(graph, ids, samples, options, make_executor)) {
    const auto v = static_cast<std::size_t>(key.first);
    std::optional<LostPart> part = judged(ranges, *parameters.activations[v]);
    if (!part) continue;
    part->value = graph.values[v].name;
    part->scale_class = parameters.plan.scale_class[v];
    part->of_output = outputs.contains(part->scale_class);
    by_class.try_emplace(part->scale_class, *part);
  }
  std::vector<LostPart> lost;
  for (auto& [id, part] : by_class) lost.push_back(std::move(part));
  return lost;
}

}  // namespace halftone::analysis
