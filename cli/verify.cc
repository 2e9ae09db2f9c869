#include "halftone/analysis/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/integers.h"
#include "cli/isa_list.h"
#include "cli/model_file.h"
#include "cli/number_list.h"
#include "cli/shape_option.h"
#include "cli/warnings.h"
#include "halftone/base/error.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

struct Options {
  std::string model;
  ShapeOption shapes;
  DataOptions data;
  std::string isa = "all";
  std::string threads = "1,2";
  bool json = false;
};

constexpr int kMostThreads = 64;

// Each once, whichever words name it.
std::vector<kernels::Isa> asked_isas(const std::string& text) {
  std::vector<kernels::Isa> isas;
  for (const std::string& word : parse_words("--isa", text))
    for (kernels::Isa isa : word == "all" ? kernels::supported_isas() : parse_isas("--isa", word))
      if (std::ranges::find(isas, isa) == isas.end()) isas.push_back(isa);
  return isas;
}

// The engine on each instruction set, with each number of threads.
struct Engines {
  std::vector<std::unique_ptr<ir::Executor>> executors;
  std::vector<analysis::Engine> named;

  Engines(const qgraph::QuantizedGraph& graph, const std::vector<kernels::Isa>& isas, const std::vector<int>& counts) {
    for (kernels::Isa isa : isas) {
      const std::unique_ptr<engine::Executor> planned = run_integers(graph, isa);
      for (int threads : counts) {
        executors.push_back(planned->with_threads(threads));
        named.push_back({fmt::format("engine {}, {} thread{}", kernels::name_of(isa), threads, threads == 1 ? "" : "s"), *executors.back()});
      }
    }
  }
};

nlohmann::json to_json(const std::vector<qgraph::RoundedBias>& biases) {
  nlohmann::json list = nlohmann::json::array();
  for (const qgraph::RoundedBias& bias : biases)
    list.push_back({{"layer", bias.layer}, {"max_steps", bias.most_steps}, {"max_change", bias.most}});
  return list;
}

nlohmann::json to_json(const analysis::Verification& v, const qgraph::QuantizedGraph& integers) {
  nlohmann::json layers = nlohmann::json::array();
  for (const auto& layer : v.layers)
    layers.push_back({{"name", layer.name},
                      {"compared", layer.compared},
                      {"different", layer.different},
                      {"unexplained", layer.unexplained},
                      {"max_difference", layer.max_difference},
                      {"tolerance_steps", layer.tolerance},
                      {"first_row", layer.first_row},
                      {"first_element", layer.first_element}});
  nlohmann::json outputs = nlohmann::json::array();
  for (const auto& output : v.outputs)
    outputs.push_back({{"name", output.name},
                       {"compared", output.compared},
                       {"different", output.different},
                       {"max_difference", output.max_difference},
                       {"predictions_different", output.predictions_different}});
  nlohmann::json engines = nlohmann::json::array();
  for (const auto& engine : v.engines)
    engines.push_back({{"name", engine.name}, {"compared", engine.compared}, {"different", engine.different}, {"first_value", engine.first_value}});
  const auto* worst = v.worst();
  return {{"arithmetic", numeric::describe(integers.arithmetic)},
          {"samples", v.samples},
          {"compared", v.compared},
          {"different", v.different},
          {"unexplained", v.unexplained},
          {"worst_layer", worst != nullptr ? nlohmann::json(worst->name) : nlohmann::json()},
          {"end_to_end_different", v.end_to_end_different},
          {"predictions_different", v.predictions_different},
          {"outputs", outputs},
          {"engines", engines},
          {"rounded_biases", to_json(integers.rounded_biases)},
          {"layers", layers}};
}

bool engines_agree(const analysis::Verification& v) {
  return std::ranges::all_of(v.engines, [](const analysis::EngineComparison& engine) { return engine.different == 0; });
}

void print_report(const analysis::Verification& v, const qgraph::QuantizedGraph& integers) {
  using Align = report::Table::Align;
  report::Table table({{"layer"},
                       {"compared", Align::right},
                       {"different", Align::right},
                       {"unexplained", Align::right},
                       {"first at"}});
  for (const auto& layer : v.layers)
    table.add_row({layer.name, report::format_count(layer.compared), report::format_count(layer.different),
                   report::format_count(layer.unexplained),
                   layer.first_row < 0
                       ? ""
                       : fmt::format("sample {}, element {}", layer.first_row, layer.first_element)});
  fmt::print("{}", table.text());
  print_line(
      "arithmetic {}, {} samples, {} integers compared: {} differ from the simulation within rounding, {} "
      "otherwise",
      numeric::describe(integers.arithmetic), report::format_count(v.samples), report::format_count(v.compared),
      report::format_count(v.different - std::min(v.different, v.unexplained)),
      report::format_count(v.unexplained));
  print_line("end to end, {} integers and {} predictions differ",
             report::format_count(v.end_to_end_different), report::format_count(v.predictions_different));
  if (v.outputs.size() > 1)
    for (const auto& output : v.outputs)
      print_line("  output '{}': {} of {} numbers differ, by {:.6g} at most", output.name,
                 report::format_count(output.different), report::format_count(output.compared),
                 output.max_difference);
  for (const qgraph::RoundedBias& bias : integers.rounded_biases)
    print_line("float bias of layer '{}': rounded to steps of s_x*s_w as the integers add it, by {:.3g} steps ({:.3g}) at most",
               bias.layer, bias.most_steps, bias.most);
  for (const analysis::EngineComparison& engine : v.engines)
    print_line("{}: {} of {} numbers differ from the integers{}", engine.name, report::format_count(engine.different),
               report::format_count(engine.compared), engine.first_value.empty() ? "" : ", first in " + shown(engine.first_value));
  print_line("{}", !engines_agree(v) ? "NOT verified: the engine gives other bytes" : v.unexplained == 0 ? "verified: every integer is the one the arithmetic says"
                                        : fmt::format("NOT verified: see layer {}", v.worst()->name));
}

int verify(const Options& options) {
  const std::vector<kernels::Isa> isas = asked_isas(options.isa);
  const std::vector<int> threads = parse_numbers("--threads", options.threads, 1, kMostThreads);
  const ModelFile model = load_model_file(options.model, options.shapes.input_shapes());
  if (!model.integers)
    throw InputError(options.model, "is not quantized, expected a model with QuantizeLinear nodes");
  const calibration::Samples samples =
      options.data.take(options.data.open(data::Part::test, model), model, Labels::welcome);
  const qgraph::Interpreter integers(*model.integers);
  const Engines engines(*model.integers, isas, threads);
  analysis::Verification result;
  with_progress(options.data, samples, "verifying", [&](const calibration::BatchOptions& batches) {
    result = analysis::verify(model.graph, integers, *model.integers, samples, batches, engines.named);
  });
  if (result.compared == 0 && result.unexplained == 0)
    throw InputError(options.model, "no value of it is computed in integers, nothing to verify");
  Warnings warnings = range_warnings(model, samples);
  append(warnings, preparation_warnings(model, samples, options.data));
  if (options.json) {
    nlohmann::json out = to_json(result, *model.integers);
    out.update({{"preparation", preparation_json(samples)}, {"warnings", warnings}});
    print_json(out);
  } else {
    print_report(result, *model.integers);
    print_line("{}", preparation_text(samples));
  }
  print(warnings);
  return result.unexplained == 0 && engines_agree(result) ? kYes : kNo;
}

}  // namespace

void add_verify(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  const Command command = app.add_command(
      "verify", "Prove the integers of every layer against the simulation; exit 1 when they differ");
  command.footer("Example: halftone verify mlp.int8.onnx --data mnist --samples 500 --isa all --threads 1,2");
  command.add_option("model", options->model, "Quantized ONNX model").required();
  options->shapes.add_to(command);
  options->data.add_to(command, data::Part::test, "Samples to use, spread over the set (otherwise all)");
  command.add_option("--isa", options->isa, "Instruction sets of the engine to compare too: all that this machine has, or some of " + supported_isa_names())
      .show_default();
  command.remove_option("--threads");  // of the comparison itself, which takes all cores
  command.add_option("--threads", options->threads, fmt::format("Numbers of threads of the engine to compare, 1 to {}: 1,2 or 1-4", kMostThreads))
      .show_default();
  command.add_flag("--json", options->json, "Print JSON");
  command.when_chosen([options, &run] { run = [options] { return verify(*options); }; });
}

}  // namespace halftone::cli
