#include "halftone/testbench/recorder.h"

#include <algorithm>

#include "halftone/numeric/accumulator.h"

namespace halftone::testbench {
namespace {

// Without the rows that only fill a batch up.
Tensor own_rows(const Tensor& value, std::int64_t rows, std::int64_t count) {
  return count < rows && value.rank() > 0 && value.dim(0) == rows ? value.rows(0, count) : value;
}

Tensor joined(const std::vector<Tensor>& parts) { return parts.size() == 1 ? parts[0] : concatenate_rows(parts); }

// Sums in as few bytes as they have, which is what a network has most of.
Tensor as_integers(const qgraph::Sums& sums, int bits) {
  if (bits > 32) return Tensor::from<std::int64_t>(sums.shape, sums.acc);
  const std::vector<std::int32_t> narrow(sums.acc.begin(), sums.acc.end());
  return Tensor::from<std::int32_t>(sums.shape, narrow);
}

}  // namespace

std::optional<int> sum_bits(const qgraph::QuantizedGraph& graph, const qgraph::Node& node) {
  const std::optional<std::int64_t> bound = qgraph::bound_of_sums(graph, node);
  return bound ? std::optional(numeric::signed_bits_for(*bound)) : std::nullopt;
}

Recorder::Recorder(const qgraph::QuantizedGraph& graph) : interpreter_(graph), values_(graph.values.size()) {
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (graph.values[v].grid) ids_.emplace(graph.values[v].name, static_cast<qgraph::ValueId>(v));
  for (const qgraph::Node& node : graph.nodes)
    if (std::holds_alternative<qgraph::Constant>(node.op)) constants_.insert(node.output());
}

void Recorder::run(std::span<const Tensor> inputs, std::int64_t rows, std::int64_t count) {
  rows_ = rows;
  count_ = count;
  const auto keep_value = [&](std::string_view name, Tensor& value) {
    const auto found = ids_.find(name);
    if (found == ids_.end()) return;
    std::vector<Tensor>& parts = values_[static_cast<std::size_t>(found->second)];
    if (constants_.contains(found->second)) parts = {value};
    else parts.push_back(own_rows(value, rows, count));
  };
  interpreter_.run_with_sums(inputs, keep_value, [&](const qgraph::Node& node, const qgraph::Sums& sums) { keep(node, sums); });
}

void Recorder::keep(const qgraph::Node& node, const qgraph::Sums& sums) {
  Kept& kept = sums_[node.name];
  kept.sums.push_back(own_rows(as_integers(sums, *sum_bits(interpreter_.graph(), node)), rows_, count_));
  if (sums.entry.empty() || !kept.entry.empty()) return;
  kept.plane.assign(sums.shape.begin() + 2, sums.shape.end());
  kept.entry.assign(sums.entry.begin(), sums.entry.begin() + element_count(kept.plane));
}

IntegerArray Recorder::value(qgraph::ValueId id) const {
  const numeric::IntegerFormat& format = interpreter_.graph().value(id).grid.value().format;
  return array_of(joined(values_.at(static_cast<std::size_t>(id))), format.bits, format.is_signed);
}

std::optional<IntegerArray> Recorder::sums(const qgraph::Node& node) const {
  const auto found = sums_.find(node.name);
  if (found == sums_.end()) return std::nullopt;
  return array_of(joined(found->second.sums), *sum_bits(interpreter_.graph(), node), true);
}

std::optional<IntegerArray> Recorder::count_index(const qgraph::Node& node) const {
  const auto found = sums_.find(node.name);
  if (found == sums_.end() || found->second.entry.empty()) return std::nullopt;
  const Kept& kept = found->second;
  return IntegerArray{.shape = kept.plane, .values = {kept.entry.begin(), kept.entry.end()}, .bits = 8, .is_signed = false};
}

}  // namespace halftone::testbench
