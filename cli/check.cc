#include "cli/check.h"

#include <nlohmann/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>

#include "cli/model_file.h"
#include "cli/outcome.h"
#include "halftone/base/error.h"
#include "halftone/passes/pass.h"
#include "halftone/quant/islands.h"

namespace halftone::cli {
namespace {

bool is_one_of(std::string_view op, std::initializer_list<std::string_view> ops) {
  return std::ranges::count(ops, op) > 0;
}

std::string remedy_of_operator(const std::string& op) {
  if (is_one_of(op, {"If", "Loop", "Scan", "SequenceAt", "SequenceConstruct", "SplitToSequence"}))
    return "export with fixed control flow: trace the network with inputs of one size";
  if (is_one_of(op, {"LSTM", "GRU", "RNN"})) return "unroll the recurrence into layers when exporting";
  if (op.find('.') != std::string::npos) return "export with ONNX's own operators instead of this domain";
  return "replace it by other operators when exporting, or leave it out of the network";
}

std::string remedy_of_refusal(const Error& refusal) {
  const std::string known = remedy_text(refusal.remedy());
  return known.empty() ? "export this node in another form, or leave it out of the network" : known;
}

std::string remedy_of_float(qgraph::FloatCause cause, bool quantized) {
  if (quantized && cause == qgraph::FloatCause::not_quantized)
    return "quantize the float model again, so that what it reads and gives has scales";
  if (quantized) return "leave it out of the network when integers alone are needed";
  if (cause == qgraph::FloatCause::not_constant)
    return "export with constant folding when they are constants in training; else --allow-float";
  return "quantize --allow-float keeps it in float, between conversions";
}

Finding finding_of(const quant::Island& island, bool quantized) {
  const Verdict verdict = island.ends_network ? Verdict::float_end : Verdict::floating;
  return {.verdict = verdict,
          .op = island.op,
          .name = island.name,
          .reason = island.reason.text,
          .remedy = island.ends_network ? "" : remedy_of_float(island.reason.cause, quantized)};
}

void check_quantized(const ModelFile& model, Checked& checked) {
  checked.nodes = model.graph.nodes.size();
  checked.quantized = true;
  for (const quant::Island& island : quant::islands_of(model.graph, *model.integers))
    checked.findings.push_back(finding_of(island, true));
}

void check_float(const ModelFile& model, Checked& checked) {
  const ir::Graph graph = passes::simplify(model.graph);
  checked.nodes = graph.nodes.size();
  const quant::Preflight preflight = quant::preflight(graph, {});
  for (const quant::Island& island : preflight.islands) checked.findings.push_back(finding_of(island, false));
  if (!preflight.refusal) return;
  checked.complete = false;
  checked.findings.push_back({.reason = preflight.refusal->what(), .remedy = remedy_of_refusal(*preflight.refusal)});
}

// Findings that differ in the node alone.
using Group = std::tuple<Verdict, std::string, std::string, std::string>;

constexpr std::array kVerdicts = {std::pair(Verdict::unsupported, "not supported"),
                                  std::pair(Verdict::floating, "in float only"),
                                  std::pair(Verdict::float_end, "float end of the network, no obstacle")};

const char* name_of(Verdict verdict) {
  constexpr std::array kNames = {"unsupported", "float", "float_end"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::string summary(const Checked& checked) {
  const std::string what = fmt::format("{} not supported, {} in float only",
                                       checked.count(Verdict::unsupported), checked.count(Verdict::floating));
  const std::string more =
      checked.complete ? "" : "; more may come to light once what is not supported is gone";
  if (!checked.integers_alone())
    return fmt::format("{}: not integers alone: {}{}", checked.model, what, more);
  return fmt::format("{}: {} integers alone, {} nodes{}", checked.model,
                     checked.quantized ? "is quantized to" : "can be quantized to", checked.nodes,
                     checked.count(Verdict::float_end) > 0 ? ", with a float end" : "");
}

}  // namespace

std::size_t Checked::count(Verdict verdict) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(findings, [&](const Finding& f) { return f.verdict == verdict; }));
}

Checked check_model(const std::string& path, const onnx_io::InputShapes& shapes) {
  Checked checked{.model = path};
  for (const onnx_io::UnsupportedNode& node : onnx_io::unsupported_nodes(path))
    checked.findings.push_back({.op = node.op,
                                .name = node.name,
                                .reason = "the operator is not read",
                                .remedy = remedy_of_operator(node.op)});
  checked.complete = checked.findings.empty();
  if (!checked.complete) return checked;
  try {
    const ModelFile model = load_model_file(path, shapes);
    if (model.integers)
      check_quantized(model, checked);
    else
      check_float(model, checked);
  } catch (const UnsupportedError& error) {
    checked.complete = false;
    checked.findings.push_back({.reason = error.what(), .remedy = remedy_of_refusal(error)});
  }
  return checked;
}

nlohmann::json to_json(const Checked& checked) {
  nlohmann::json findings = nlohmann::json::array();
  for (const Finding& f : checked.findings)
    findings.push_back({{"verdict", name_of(f.verdict)},
                        {"op", f.op},
                        {"node", f.name},
                        {"reason", f.reason},
                        {"remedy", f.remedy}});
  return {{"model", checked.model},
          {"integers_alone", checked.integers_alone()},
          {"quantized", checked.quantized},
          {"nodes", checked.nodes},
          {"unsupported", checked.count(Verdict::unsupported)},
          {"float", checked.count(Verdict::floating)},
          {"complete", checked.complete},
          {"findings", findings},
          {"summary", summary(checked)}};
}

void print_check(const Checked& checked) {
  std::map<Group, std::vector<std::string>> groups;
  for (const Finding& f : checked.findings)
    groups[{f.verdict, f.op, f.reason, f.remedy}].push_back(fmt::format("'{}'", shown(f.name)));
  for (const auto& [verdict, title] : kVerdicts) {
    if (checked.count(verdict) > 0) print_line("{}:", title);
    for (const auto& [group, names] : groups) {
      const auto& [own, op, reason, remedy] = group;
      if (own != verdict) continue;
      if (op.empty())
        print_line("  {}", reason);
      else
        print_line("  {} {}: {}", op, fmt::join(names, ", "), reason);
      if (!remedy.empty()) print_line("    remedy: {}", remedy);
    }
  }
  print_line("{}", summary(checked));
}

}  // namespace halftone::cli
