#include "halftone/testbench/constants.h"

#include <algorithm>
#include <bit>

#include "halftone/numeric/packed_weights.h"
#include "halftone/qgraph/multipliers.h"
#include "halftone/qgraph/sums.h"

namespace halftone::testbench {
namespace {

constexpr int kLeastShiftBits = 8;

IntegerArray list(std::vector<std::int64_t> values, int bits) {
  const auto count = static_cast<std::int64_t>(values.size());
  return {.shape = {count}, .values = std::move(values), .bits = bits, .is_signed = true};
}

IntegerArray packed(const Tensor& integers) { return array_of(numeric::pack_rows(integers).bytes, 8, false); }

void add_codebook(std::vector<NamedArray>& out, const qgraph::Linear& linear) {
  const std::vector<std::int32_t> places = numeric::to_int32(linear.q_w);
  const std::vector<std::int64_t> entries(linear.codebook.begin(), linear.codebook.end());
  const int bits = std::max(1, static_cast<int>(std::bit_width(entries.size() - 1)));
  IntegerArray weight{.shape = linear.q_w.shape(), .values = {}, .bits = least_bits(entries), .is_signed = true};
  for (std::int32_t place : places) weight.values.push_back(entries.at(static_cast<std::size_t>(place)));
  out.push_back({"weight", std::move(weight)});
  out.push_back({"weight_packed", packed(numeric::from_int32(linear.q_w.shape(), places, numeric::storage_dtype({bits, false, false})))});
  out.push_back({"weight_index", array_of(linear.q_w, bits, false)});
  out.push_back({"codebook", list(entries, least_bits(entries))});
}

void add_linear(std::vector<NamedArray>& out, const qgraph::Linear& linear) {
  if (!linear.codebook.empty()) {
    add_codebook(out, linear);
  } else {
    out.push_back({"weight", array_of(linear.q_w, linear.w_params.format.bits, linear.w_params.format.is_signed)});
    out.push_back({"weight_packed", packed(linear.q_w)});
  }
  out.push_back({"bias", list(linear.bias, least_bits(linear.bias))});
}

void add_table(std::vector<NamedArray>& out, const qgraph::Table& table, const numeric::IntegerFormat& format) {
  const auto entries = static_cast<std::int64_t>(table.entries.size());
  out.push_back({"table", {.shape = {table.channels, entries / table.channels},
                           .values = {table.entries.begin(), table.entries.end()},
                           .bits = format.bits,
                           .is_signed = format.is_signed}});
}

void add_multipliers(std::vector<NamedArray>& out, const qgraph::QuantizedGraph& graph, const qgraph::Node& node) {
  const std::optional<qgraph::Multipliers> found = qgraph::multipliers_of(graph, node);
  if (!found) return;
  const qgraph::Requantizer* requantizer = qgraph::requantizer_of(node.op);
  const auto* real = requantizer == nullptr ? nullptr : std::get_if<qgraph::Float32>(&requantizer->scaling);
  if (real != nullptr && !real->M.empty()) {
    std::vector<std::int64_t> words;
    for (float M : real->M) words.push_back(std::bit_cast<std::uint32_t>(M));
    const auto count = static_cast<std::int64_t>(words.size());
    out.push_back({"multiplier", {.shape = {count}, .values = std::move(words), .bits = 32, .is_signed = false}});
  }
  if (!found->m.empty()) out.push_back({"multiplier", list(found->m, std::max(found->bits, least_bits(found->m)))});
  if (found->shift.empty()) return;
  const std::vector<std::int64_t> shifts(found->shift.begin(), found->shift.end());
  out.push_back({"shift", list(shifts, std::max(kLeastShiftBits, least_bits(shifts)))});
}

}  // namespace

std::vector<NamedArray> constants_of(const qgraph::QuantizedGraph& graph, const qgraph::Node& node) {
  std::vector<NamedArray> out;
  if (const qgraph::Linear* linear = qgraph::linear_of(node.op)) add_linear(out, *linear);
  if (const auto* table = std::get_if<qgraph::Table>(&node.op)) add_table(out, *table, graph.value(node.output()).grid.value().format);
  add_multipliers(out, graph, node);
  return out;
}

}  // namespace halftone::testbench
