#include "cli/check.h"

#include <nlohmann/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <map>
#include <tuple>

#include "cli/model_file.h"
#include "cli/outcome.h"
#include "halftone/base/error.h"

namespace halftone::cli {
namespace {

using analysis::Checked;
using analysis::Finding;
using analysis::Verdict;

// Findings that differ in the node alone.
using Group = std::tuple<Verdict, std::string, std::string, std::string>;

constexpr std::array kVerdicts = {std::pair(Verdict::unsupported, "not supported"),
                                  std::pair(Verdict::floating, "in float only"),
                                  std::pair(Verdict::float_end, "float end of the network, no obstacle")};

const char* name_of(Verdict verdict) {
  constexpr std::array kNames = {"unsupported", "float", "float_end"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::string summary(const std::string& model, const Checked& checked) {
  const std::string what = fmt::format("{} not supported, {} in float only",
                                       checked.count(Verdict::unsupported), checked.count(Verdict::floating));
  const std::string more =
      checked.complete ? "" : "; more may come to light once what is not supported is gone";
  if (!checked.integers_alone())
    return fmt::format("{}: not integers alone: {}{}", model, what, more);
  return fmt::format("{}: {} integers alone, {} nodes{}", model,
                     checked.quantized ? "is quantized to" : "can be quantized to", checked.nodes,
                     checked.count(Verdict::float_end) > 0 ? ", with a float end" : "");
}

}  // namespace

Checked check_model(const std::string& path, const onnx_io::InputShapes& shapes) {
  Checked checked;
  for (const onnx_io::UnsupportedNode& node : onnx_io::unsupported_nodes(path))
    checked.findings.push_back(analysis::unread(node.domain, node.op, node.name));
  checked.complete = checked.findings.empty();
  if (!checked.complete) return checked;
  try {
    const ModelFile model = load_model_file(path, shapes);
    return model.integers ? analysis::check_quantized(model.graph, *model.integers) : analysis::check_float(model.graph);
  } catch (const UnsupportedError& error) {
    analysis::add_refusal(checked, error);
  }
  return checked;
}

nlohmann::json to_json(const std::string& model, const Checked& checked) {
  nlohmann::json findings = nlohmann::json::array();
  for (const Finding& f : checked.findings)
    findings.push_back({{"verdict", name_of(f.verdict)},
                        {"op", f.op},
                        {"node", f.name},
                        {"reason", f.reason},
                        {"remedy", remedy_text(f.remedy)}});
  return {{"model", model},
          {"integers_alone", checked.integers_alone()},
          {"quantized", checked.quantized},
          {"nodes", checked.nodes},
          {"unsupported", checked.count(Verdict::unsupported)},
          {"float", checked.count(Verdict::floating)},
          {"complete", checked.complete},
          {"findings", findings},
          {"summary", summary(model, checked)}};
}

void print_check(const std::string& model, const Checked& checked) {
  std::map<Group, std::vector<std::string>> groups;
  for (const Finding& f : checked.findings)
    groups[{f.verdict, f.op, f.reason, remedy_text(f.remedy)}].push_back(fmt::format("'{}'", shown(f.name)));
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
  print_line("{}", summary(model, checked));
}

}  // namespace halftone::cli
