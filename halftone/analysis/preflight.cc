#include "halftone/analysis/preflight.h"

#include <algorithm>
#include <string_view>

#include "halftone/passes/pass.h"

namespace halftone::analysis {
namespace {

bool is_one_of(std::string_view op, std::initializer_list<std::string_view> ops) {
  return std::ranges::count(ops, op) > 0;
}

Remedy remedy_of_operator(const std::string& domain, const std::string& op) {
  if (!domain.empty()) return Remedy::standard_operators;
  if (is_one_of(op, {"If", "Loop", "Scan", "SequenceAt", "SequenceConstruct", "SplitToSequence"}))
    return Remedy::fixed_control_flow;
  if (is_one_of(op, {"LSTM", "GRU", "RNN"})) return Remedy::unrolled_recurrence;
  return Remedy::other_operators;
}

Remedy remedy_of_float(qgraph::FloatCause cause, bool quantized) {
  if (quantized) return cause == qgraph::FloatCause::not_quantized ? Remedy::quantize_again : Remedy::leave_out;
  return cause == qgraph::FloatCause::not_constant ? Remedy::constant_weights : Remedy::keep_float;
}

std::vector<Finding> findings_of(const std::vector<quant::Island>& islands, bool quantized) {
  std::vector<Finding> findings;
  for (const quant::Island& island : islands)
    findings.push_back({.verdict = island.ends_network ? Verdict::float_end : Verdict::floating,
                        .op = island.op,
                        .name = island.name,
                        .reason = island.reason.text,
                        .remedy = island.ends_network ? Remedy::none : remedy_of_float(island.reason.cause, quantized)});
  return findings;
}

}  // namespace

std::size_t Checked::count(Verdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(findings, verdict, &Finding::verdict));
}

Finding unread(const std::string& domain, const std::string& op, const std::string& name) {
  return {.op = op, .name = name, .reason = "the operator is not read", .remedy = remedy_of_operator(domain, op)};
}

void add_refusal(Checked& checked, const Error& refusal) {
  const bool known = refusal.remedy() != Remedy::none;
  checked.complete = false;
  checked.findings.push_back({.reason = refusal.what(), .remedy = known ? refusal.remedy() : Remedy::other_form});
}

Checked check_float(const ir::Graph& model) {
  const ir::Graph graph = passes::simplify(model);
  const quant::Preflight preflight = quant::preflight(graph, {});
  Checked checked{.findings = findings_of(preflight.islands, false), .nodes = graph.nodes.size()};
  if (preflight.refusal) add_refusal(checked, *preflight.refusal);
  return checked;
}

Checked check_quantized(const ir::Graph& model, const qgraph::QuantizedGraph& integers) {
  return {.findings = findings_of(quant::islands_of(model, integers), true), .nodes = model.nodes.size(), .quantized = true};
}

}  // namespace halftone::analysis
