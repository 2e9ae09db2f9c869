#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/layer_numbers.h"
#include "cli/model_file.h"
#include "cli/multiplier_table.h"
#include "cli/recipe_beside.h"
#include "cli/shape_option.h"
#include "cli/warnings.h"
#include "halftone/base/error.h"
#include "halftone/ir/work.h"
#include "halftone/numeric/accumulator.h"
#include "halftone/lower/lower.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kGuessSamples = 100;

struct Options {
  std::string model;
  ShapeOption shapes;
  bool check = false;
  bool multipliers = false;
  bool guess_preset = false;
  DataOptions data;  // to guess on
  bool json = false;
};

// "20 bits", and what there is to say of the layer's integers beyond that.
std::string sums_text(const Json& layer) {
  if (!layer.contains("accumulator_bits")) return "";
  std::string text = fmt::format("{} bits", layer["accumulator_bits"].get<int>());
  if (layer["accumulator"] == "int64") text += ", int64";
  if (const auto dead = layer["dead_channels"].get<std::int64_t>(); dead > 0) text += fmt::format(", {} dead", dead);
  return text;
}

// Smallest and largest weight as real numbers.
Json range_of(const Tensor& weights) {
  if (weights.dtype() != DType::float32 || weights.size() == 0) return {};
  const auto [lo, hi] = std::ranges::minmax(weights.data<float>());
  return {lo, hi};
}

Json describe_float_node(const ir::Graph& graph, const ir::Node& node, std::int64_t multiply_adds) {
  std::int64_t parameters = 0;
  Json range;
  for (ir::ValueId id : node.inputs)
    if (const Tensor* constant = graph.constant(id); constant != nullptr) parameters += constant->size();
  if (node.inputs.size() > 1 && graph.constant(node.inputs[1]) != nullptr)
    range = range_of(*graph.constant(node.inputs[1]));
  const ir::Value& y = graph.value(node.outputs[0]);
  return {{"name", node.name},        {"op", ir::name_of(node.op)},
          {"output", y.name},         {"shape", to_string(y.shape)},
          {"parameters", parameters}, {"multiply_adds", multiply_adds},
          {"weight_range", range}};
}

// Channels of which no weight has any effect.
std::int64_t dead_channels(const qgraph::Linear& linear) {
  std::int64_t dead = 0;
  const std::vector<std::int32_t> weights = qgraph::centred_weights(linear);
  for (std::int64_t c = 0; c < linear.channels; ++c) {
    const auto first = weights.begin() + static_cast<std::ptrdiff_t>(c * linear.reduction);
    dead += std::all_of(first, first + static_cast<std::ptrdiff_t>(linear.reduction), [](std::int32_t w) { return w == 0; });
  }
  return dead;
}

std::int64_t largest_bias(const qgraph::Linear& linear) {
  std::int64_t largest = 0;
  for (std::int64_t b : linear.bias) largest = std::max(largest, std::abs(b));
  return largest;
}

Json describe_integer_node(const qgraph::QuantizedGraph& graph, const qgraph::Node& node) {
  const qgraph::Value& y = graph.value(node.output());
  const auto* table = std::get_if<qgraph::Table>(&node.op);
  const std::string op = table != nullptr ? fmt::format("Table {}", table->function) : std::string(qgraph::name_of(node.op));
  Json out{{"name", node.name},
           {"op", op},
           {"output", y.name},
           {"shape", to_string(y.shape)},
           {"dtype", name_of(y.dtype)}};
  if (y.grid)
    out["output_range"] = {y.grid->affine.scale *
                               static_cast<float>(y.grid->format.qmin() - y.grid->affine.zero_point),
                           y.grid->affine.scale *
                               static_cast<float>(y.grid->format.qmax() - y.grid->affine.zero_point)};
  if (y.grid) out.update(grid_json(*y.grid));
  out["inputs"] = Json::array();
  for (qgraph::ValueId id : node.inputs) {
    out["inputs"].push_back({{"name", graph.value(id).name}});
    if (graph.value(id).grid) out["inputs"].back().update(grid_json(*graph.value(id).grid));
  }
  if (Json multipliers = multipliers_json(graph, node); !multipliers.is_null()) out["multipliers"] = std::move(multipliers);
  if (const qgraph::Linear* linear = qgraph::linear_of(node.op)) {
    const std::int64_t bound = linear->bound.empty() ? 0 : *std::ranges::max_element(linear->bound);
    out["parameters"] = linear->q_w.size();
    out["accumulator_bound"] = bound;
    out["accumulator_bits"] = numeric::signed_bits_for(bound);
    out["accumulator"] = linear->wide ? "int64" : "int32";
    out["bias_bits"] = numeric::signed_bits_for(largest_bias(*linear));
    out["dead_channels"] = dead_channels(*linear);
    out["weights"] = weight_scales_json(*linear);
    out["weights"]["bits"] = linear->w_params.format.bits;
  }
  return out;
}

// A row for each output of its nodes that something reads.
void describe_island(const ir::Graph& island, Json& rows) {
  const std::vector<int> uses = ir::use_counts(island);
  for (const ir::Node& node : island.nodes) {
    std::int64_t parameters = 0;
    for (ir::ValueId id : node.inputs)
      if (const Tensor* constant = id == ir::kNoValue ? nullptr : island.constant(id)) parameters += constant->size();
    for (ir::ValueId id : node.outputs) {
      const ir::Value& y = island.value(id);
      if (id != node.outputs[0] && uses[static_cast<std::size_t>(id)] == 0) continue;
      rows.push_back({{"name", node.name},
                      {"op", fmt::format("Float {}", ir::name_of(node.op))},
                      {"output", y.name},
                      {"shape", to_string(y.shape)},
                      {"dtype", name_of(y.dtype)},
                      {"parameters", parameters}});
    }
  }
}

Json inspect_json(const ModelFile& model) {
  Json out{{"model", model.path},
           {"file_bytes", model.file_bytes},
           {"parameter_bytes", model.parameter_bytes},
           {"quantized", model.integers.has_value()},
           {"recipe_matches", check_recipe_beside(model)},
           {"metadata", model.graph.metadata}};
  for (const char* side : {"inputs", "outputs"}) {
    out[side] = Json::array();
    for (ir::ValueId id : side[0] == 'i' ? model.graph.inputs : model.graph.outputs)
      out[side].push_back({{"name", model.graph.value(id).name},
                           {"dtype", name_of(model.graph.value(id).dtype)},
                           {"shape", to_string(model.graph.value(id).shape)}});
  }
  out["layers"] = Json::array();
  if (model.integers) {
    out["arithmetic"] = numeric::describe(model.integers->arithmetic);
    out["integer_only"] = model.integers->integer_only();
    for (const qgraph::Node& node : model.integers->nodes)
      if (const auto* island = std::get_if<qgraph::Island>(&node.op))
        describe_island(island->graph, out["layers"]);
      else
        out["layers"].push_back(describe_integer_node(*model.integers, node));
  } else {
    const std::vector<std::int64_t> macs = ir::multiply_adds(model.graph);
    for (std::size_t n = 0; n < macs.size(); ++n)
      out["layers"].push_back(describe_float_node(model.graph, model.graph.nodes[n], macs[n]));
  }
  return out;
}

std::string range_text(const Json& range) {
  return range.is_array() ? fmt::format("{:.4g} .. {:.4g}", range[0].get<float>(), range[1].get<float>())
                          : "";
}

void print_inspection(const Json& out) {
  using Align = report::Table::Align;
  const bool quantized = out["quantized"];
  for (const char* side : {"inputs", "outputs"})
    for (const Json& value : out[side])
      print_line("{:<7} {} {} {}", std::string(side, 0, std::string_view(side).size() - 1),
                 value["name"].get<std::string>(), value["dtype"].get<std::string>(),
                 value["shape"].get<std::string>());
  if (quantized)
    print_line("integers: {}; {}", out["arithmetic"].get<std::string>(),
               out["integer_only"].get<bool>() ? "no float between input and output" : "with float islands");
  report::Table table({{"layer"},
                       {"op"},
                       {"output shape"},
                       {"parameters", Align::right},
                       {quantized ? "accumulator" : "multiply-adds", Align::right},
                       {quantized ? "range of output" : "range of weights"}});
  for (const Json& layer : out["layers"]) {
    const std::int64_t parameters = layer.value("parameters", std::int64_t{0});
    const std::int64_t macs = layer.value("multiply_adds", std::int64_t{0});
    const std::string work = quantized ? sums_text(layer) : macs > 0 ? report::format_count(macs) : "";
    table.add_row({layer["name"], layer["op"], layer["shape"],
                   parameters > 0 ? report::format_count(parameters) : "", work,
                   range_text(quantized ? layer.value("output_range", Json()) : layer["weight_range"])});
  }
  std::int64_t dead = 0;
  for (const Json& layer : out["layers"]) dead += layer.value("dead_channels", std::int64_t{0});
  fmt::print("{}", table.text());
  if (dead > 0) print_line("dead channels, whose weights are all 0 and which give their bias alone: {}", dead);
  print_line("parameters {}, file {}", report::format_bytes(out["parameter_bytes"]),
             report::format_bytes(out["file_bytes"]));
}

void print_trials(const std::vector<analysis::PreparationTrial>& trials, std::int64_t samples) {
  report::Table table({{"preset"}, {"added to labels", report::Table::Align::right}, {"right", report::Table::Align::right}});
  for (const analysis::PreparationTrial& trial : trials)
    table.add_row({data::describe(trial.preprocessing), std::to_string(trial.label_offset), fmt::format("{:.1f} %", trial.percent)});
  fmt::print("{}", table.text());
  print_line("{} samples", samples);
}

// All presets on some labelled samples, the best first.
int guess_preset(const Options& options) {
  const ModelFile model = load_model_file(options.model, options.shapes.input_shapes());
  const calibration::Samples samples = options.data.take(options.data.open(data::Part::train, model), model, Labels::wanted);
  auto trials = preparation_trials(model, samples, options.data);
  if (trials.empty())
    throw InputError(samples.name, "has no labels, or the network no row of scores for them: nothing to guess a preset by");
  std::ranges::stable_sort(trials, std::greater(), &analysis::PreparationTrial::percent);
  if (!options.json) {
    print_trials(trials, samples.size());
    return kYes;
  }
  Json out = Json::array();
  for (const analysis::PreparationTrial& trial : trials)
    out.push_back({{"preset", trial.preprocessing.name},
                   {"formula", data::describe(trial.preprocessing)},
                   {"label_offset", trial.label_offset},
                   {"accuracy", trial.percent}});
  print_json({{"model", options.model}, {"samples", samples.size()}, {"presets", out}});
  return kYes;
}

int inspect(const Options& options) {
  if (options.guess_preset != options.data.given())
    throw UsageError("--guess-preset", "goes with --data or --images, whose labels say what is right");
  if (options.guess_preset) return guess_preset(options);
  if (options.check) {
    const analysis::Checked checked = check_model(options.model, options.shapes.input_shapes());
    if (options.json)
      print_json(to_json(options.model, checked));
    else
      print_check(options.model, checked);
    return checked.integers_alone() ? kYes : kNo;
  }
  const Json out = inspect_json(load_model_file(options.model, options.shapes.input_shapes()));
  if (options.multipliers && !out["quantized"].get<bool>())
    throw UsageError("--multipliers", fmt::format("'{}' is a float model, expected integers as halftone quantize makes them", options.model));
  if (options.json)
    print_json(out);
  else if (options.multipliers)
    print_multipliers(out);
  else
    print_inspection(out);
  return kYes;
}

}  // namespace

void add_inspect(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  const Command command =
      app.add_command("inspect", "Layers, shapes, parameters, ranges and sizes of a model");
  command.footer(
      "Examples: halftone inspect mlp.onnx --json\n"
      "          halftone inspect mlp.onnx --check\n"
      "          halftone inspect mlp.int8.onnx --multipliers\n"
      "          halftone inspect mlp.onnx --guess-preset --data mnist");
  command.add_option("model", options->model, "ONNX model").required();
  options->shapes.add_to(command);
  Option check = command.add_flag(
      "--check", options->check,
      "Instead: every node that is not supported, or in float only, with the reason and the remedy; "
      "exit 0 when integers alone will do, 1 when not, 3 for a damaged file");
  command.add_flag("--multipliers", options->multipliers,
                   "Instead: M = s_x*s_w/s_y = M0*2^-n of each layer in integers, the m and shift that stand for it, scales of weights, and "
                   "fraction lengths where scales are powers of two; the smallest and the largest, by channel with --json")
      .excludes(check);
  Option guess = command.add_flag("--guess-preset", options->guess_preset,
                 "Instead: right answers with every preset on labelled samples of --data or --images, the best first")
      .excludes(check);
  options->data.usual_samples = kGuessSamples;
  options->data.may_be_missing = true;
  options->data.guesses_preset = true;
  options->data.add_to(command, data::Part::train, fmt::format("Samples to guess on (otherwise {})", kGuessSamples));
  for (const char* option : {"--labels", "--label-offset", "--resize", "--samples", "--preset", "--mean", "--std", "--scale",
                             "--override-preprocessing", "--threads"})
    command.option(option).needs(guess);
  command.add_flag("--json", options->json, "Print JSON");
  command.when_chosen([options, &run] { run = [options] { return inspect(*options); }; });
}

}  // namespace halftone::cli
