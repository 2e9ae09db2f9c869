#include "halftone/quant/quantize.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/bits_option.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/model_file.h"
#include "cli/shape_option.h"
#include "halftone/base/error.h"
#include "halftone/float_engine/executor.h"
#include "halftone/onnx_io/save.h"
#include "halftone/passes/pass.h"
#include "halftone/qgraph/lower.h"
#include "halftone/qgraph/qoperators.h"
#include "halftone/quant/calibrate.h"
#include "halftone/quant/islands.h"
#include "halftone/quant/reconstruct.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

constexpr std::int64_t kCalibrationSamples = 1024;
constexpr std::int64_t kBatch = 64;

struct Options {
  std::string model;
  ShapeOption shapes;
  std::string output;
  DataOptions data;
  std::string bits = "w8a8";
  std::string granularity = "channel";
  std::string observer = "minmax";
  std::string weight_observer = "minmax";
  std::string arithmetic = "fixed";
  std::optional<int> mantissa_bits;
  bool symmetric = false;
  bool asymmetric = false;
  bool power_of_two = false;
  bool adaround = false;
  int adaround_steps = 2000;
  bool error_feedback = false;
  bool correct_bias = false;
  bool equalize = false;
  std::string first_last;
  bool allow_float = false;
  std::string format = "qdq";
  bool json = false;
};

// The first layer with the network's input, the last one with what it takes and the network's output.
void set_first_and_last(quant::Recipe& recipe, const Bits& bits) {
  quant::WeightRecipe weights = recipe.weights;
  set_bits(weights, bits);
  recipe.layers = {{"<first>", weights}, {"<last>", weights}};
  if (!bits.activations || recipe.weight_only) return;
  quant::ActivationRecipe activations = recipe.activations;
  activations.format.bits = *bits.activations;
  recipe.tensors = {{"<input>", activations}, {"<last>", activations}, {"<output>", activations}};
}

quant::Recipe recipe_from(const Options& options) {
  quant::Recipe recipe;
  const Bits bits = parse_bits("--bits", options.bits);
  set_bits(recipe.weights, bits);
  recipe.activations.format.bits = bits.activations.value_or(8);
  recipe.weight_only = !bits.activations;
  recipe.activations.observer = quant::parse_observer(options.observer);
  if (options.weight_observer == "mse") recipe.weights.range = quant::WeightRange::mean_squared_error;
  if (options.granularity == "tensor") recipe.weights.granularity = numeric::Granularity::tensor;
  if (options.adaround) recipe.weights.rounding = quant::WeightRounding::adaround;
  if (options.error_feedback) recipe.weights.rounding = quant::WeightRounding::error_feedback;
  recipe.adaround_steps = options.adaround_steps;
  recipe.correct_bias = options.correct_bias;
  recipe.equalize = options.equalize;
  recipe.arithmetic.mode = numeric::arithmetic_from(options.arithmetic);
  if (options.mantissa_bits && recipe.arithmetic.mode != numeric::Arithmetic::fixed)
    throw UsageError("--mantissa",
                     fmt::format("arithmetic {} has no multiplier mantissa", options.arithmetic));
  recipe.arithmetic.mantissa_bits = options.mantissa_bits.value_or(32);
  if (options.symmetric) recipe.activations.scheme = numeric::Scheme::symmetric;
  if (options.asymmetric) {
    recipe.weights.scheme = numeric::Scheme::asymmetric;
    recipe.weights.format.narrow = false;
  }
  if (!options.first_last.empty()) set_first_and_last(recipe, parse_bits("--first-last", options.first_last));
  if (options.power_of_two || recipe.arithmetic.mode == numeric::Arithmetic::shift)
    quant::use_powers_of_two(recipe);
  return recipe;
}

// What quantizing came to.
struct Result {
  quant::Quantized quantized;
  std::vector<quant::Island> islands;
  qgraph::QuantizedGraph integers;
  std::uint64_t bytes = 0;  // written
  std::int64_t samples = 0;
};

nlohmann::json summary(const Options& options, const quant::Recipe& recipe, const ModelFile& before,
                       const Result& result) {
  nlohmann::json islands = nlohmann::json::array();
  for (const quant::Island& island : result.islands)
    islands.push_back({{"node", island.name},
                       {"op", island.op},
                       {"reason", island.reason},
                       {"multiply_adds", island.multiply_adds},
                       {"ends_network", island.ends_network}});
  const qgraph::Work work = qgraph::count_work(result.integers);
  return {{"model", options.model},
          {"output", options.output},
          {"recipe", quant::describe(recipe)},
          {"calibration_samples", result.samples},
          {"bytes_before", before.file_bytes},
          {"bytes", result.bytes},
          {"parameter_bytes_before", parameter_bytes(before.graph)},
          {"parameter_bytes", parameter_bytes(result.quantized.graph)},
          {"integer_nodes", work.integer_nodes},
          {"integer_macs", work.integer_macs},
          {"float_nodes", islands},
          {"float_macs", work.float_macs},
          {"notes", result.quantized.notes}};
}

// The first reason why a network has nothing to quantize.
std::string why_nothing(const ir::Graph& graph) {
  const auto nodes = quant::float_nodes(graph);
  return nodes.empty() ? "it has no nodes" : fmt::format("{}: {}", nodes.front().node, nodes.front().reason);
}

void print_summary(const nlohmann::json& s) {
  fmt::print("{} -> {}\n", s["model"].get<std::string>(), s["output"].get<std::string>());
  fmt::print("  recipe       {}\n", s["recipe"].get<std::string>());
  fmt::print("  calibrated   on {} samples\n", report::format_count(s["calibration_samples"]));
  fmt::print("  parameters   {} -> {}\n", report::format_bytes(s["parameter_bytes_before"]),
             report::format_bytes(s["parameter_bytes"]));
  fmt::print("  layers       {} in integers with {} multiply-adds, {} in float with {}\n",
             s["integer_nodes"].get<std::int64_t>(), report::format_count(s["integer_macs"]),
             s["float_nodes"].size(), report::format_count(s["float_macs"]));
  for (const auto& node : s["float_nodes"])
    fmt::print(
        "    {}: {} '{}': {}\n", node["ends_network"].get<bool>() ? "float end of the network" : "float",
        node["op"].get<std::string>(), node["node"].get<std::string>(), node["reason"].get<std::string>());
  for (const auto& note : s["notes"]) fmt::print("  note: {}\n", note.get<std::string>());
}

// The quantized graph as the file format writes it.
ir::Graph in_format(const ir::Graph& graph, const std::string& format) {
  if (format == "qoperator") return qgraph::with_integer_operators(graph);
  if (format == "qonnx") return qgraph::with_quant_nodes(graph);
  return graph;
}

// Unless the user allows it, nothing stays float between integers unnoticed.
void refuse_islands(const std::vector<quant::Island>& islands, const Options& options) {
  std::vector<std::string> named;
  for (const quant::Island& island : islands)
    if (!island.ends_network)
      named.push_back(fmt::format("{} '{}' ({})", island.op, island.name, island.reason));
  if (options.allow_float || named.empty()) return;
  throw UnsupportedError(options.model,
                         fmt::format("{} would stay float: {}; --allow-float keeps them so, between "
                                     "conversions",
                                     named.size() == 1 ? "a node" : fmt::format("{} nodes", named.size()),
                                     fmt::join(named, ", ")));
}

// Runs `work(samples, options)` under a progress line.
template <typename F>
void with_samples(const analysis::Samples& samples, const Options& options, const std::string& title,
                  F&& work) {
  with_progress(options.data, samples, kBatch, title, [&](const analysis::BatchOptions& batches) {
    const auto inputs = [&](std::int64_t first, std::int64_t last) {
      return analysis::batch_of(samples, first, last, batches).inputs;
    };
    work(quant::SampleSource{samples.size(), inputs},
         quant::CalibrationOptions{.batch_size = batches.fixed_batch ? batches.batch_size : 1,
                                   .fixed_batch = batches.fixed_batch,
                                   .threads = batches.threads,
                                   .progress = batches.progress});
  });
}

quant::StatisticsTable calibrate(const ir::Graph& graph, const analysis::Samples& samples,
                                 const Options& options) {
  const ir::Graph observed = quant::observed(graph);
  quant::StatisticsTable seen;
  with_samples(samples, options, "calibrating", [&](const auto& source, const auto& calibration) {
    seen = quant::calibrate(*float_engine::make_executor(observed), quant::output_names(observed), source,
                            calibration);
  });
  return seen;
}

// Parameters as the recipe's methods have them.
quant::Parameters parameters_of(const ir::Graph& graph, const quant::RangeTable& ranges,
                                const quant::Recipe& recipe, const analysis::Samples& samples,
                                const Options& options) {
  quant::Parameters parameters = quant::choose_parameters(graph, ranges, recipe);
  if (!quant::reconstructs(recipe)) return parameters;
  with_samples(samples, options, "choosing weights", [&](const auto& source, const auto& calibration) {
    quant::reconstruct(graph, parameters, recipe, source, calibration, float_engine::make_executor);
  });
  return parameters;
}

int quantize(const Options& options) {
  const quant::Recipe recipe = recipe_from(options);
  quant::check(recipe);
  check_writable(options.output);
  ModelFile before = load_model_file(options.model, options.shapes.input_shapes());
  if (before.integers) throw InputError(options.model, "is quantized already, expected a float model");
  const ir::Graph graph = passes::simplify(before.graph);
  if (!options.allow_float) refuse_islands(quant::preflight(graph, recipe).islands, options);
  const analysis::Samples samples = options.data.take(options.data.open(data::Part::train, before), before);
  const quant::RangeTable ranges = quant::choose_ranges(graph, calibrate(graph, samples, options), recipe);
  const quant::Parameters parameters = parameters_of(graph, ranges, recipe, samples, options);
  Result result{.quantized = quant::quantize(graph, parameters, recipe.arithmetic),
                .samples = samples.size()};
  if (!qgraph::is_quantized(result.quantized.graph))
    throw UnsupportedError(options.model, "nothing to quantize: " + why_nothing(graph));
  result.quantized.graph.metadata[kPreprocessingKey] = data::encode(samples.preprocessing);
  // What can't become integers is refused before anything is written.
  result.integers = qgraph::lower(result.quantized.graph);
  result.islands = quant::islands_of(graph, result.integers);
  refuse_islands(result.islands, options);
  result.bytes = onnx_io::save_model(in_format(result.quantized.graph, options.format), options.output);
  const nlohmann::json out = summary(options, recipe, before, result);
  if (options.json)
    print_json(out);
  else
    print_summary(out);
  return kYes;
}

}  // namespace

void add_quantize(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  options->data.samples = kCalibrationSamples;
  CLI::App* command =
      app.add_subcommand("quantize", "Turn a float model into integers, calibrated on training data");
  command->footer(
      "Example: halftone quantize mlp.onnx --data mnist -o mlp.int8.onnx\n"
      "A model of which a node would stay float is refused (halftone inspect --check lists them) unless "
      "--allow-float "
      "is given. A Softmax, LogSoftmax, ArgMax or Hardmax that ends the network needs no flag: it only reads "
      "the "
      "answer off, and stays the float end of the network.");
  command->add_option("model", options->model, "Float ONNX model")->required();
  command
      ->add_option("-o,--output", options->output, "ONNX file to write, with the arithmetic in its metadata")
      ->required();
  command
      ->add_option("--format", options->format,
                   "qdq (Quantize/Dequantize pairs), qoperator (QLinearConv, …; ONNX Runtime's for what ONNX "
                   "lacks) or "
                   "qonnx (Quant nodes)")
      ->check(CLI::IsMember({"qdq", "qoperator", "qonnx"}))
      ->capture_default_str();
  command->add_flag("--allow-float", options->allow_float,
                    "Nodes without an integer form stay float, between Dequantize and Quantize");
  options->shapes.add_to(*command);
  options->data.samples_name = "--calibration-samples";
  options->data.add_to(*command, data::Part::train,
                       "Samples to calibrate on, spread over the set (otherwise 1024)");
  command->add_option("--bits", options->bits, "Bits of weights (2 to 16) and activations (2, 4, 8 or 16), as w4a8; w4: weights alone; w1: binary, wt: ternary weights")
      ->capture_default_str();
  command->add_option("--granularity", options->granularity, "One weight scale for each: tensor or channel")
      ->check(CLI::IsMember({"tensor", "channel"}))
      ->capture_default_str();
  command
      ->add_option(
          "--observer", options->observer,
          "How activations' ranges are chosen: minmax, moving-average[=MOMENTUM], percentile[=PERCENT], "
          "sigma[=DEVIATIONS], kl or mse")
      ->capture_default_str();
  command
      ->add_option("--weight-observer", options->weight_observer,
                   "How weights' ranges are chosen: minmax, or mse (clipped for the least squared error)")
      ->check(CLI::IsMember({"minmax", "mse"}))
      ->capture_default_str();
  auto* adaround = command->add_flag("--adaround", options->adaround,
                                     "Weights rounded up or down by what each layer then computes");
  command->add_option("--adaround-steps", options->adaround_steps, "Steps a layer")
      ->needs(adaround)
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command
      ->add_flag("--error-feedback", options->error_feedback,
                 "Weights rounded one after the other, the rest taking up the error (as GPTQ)")
      ->excludes(adaround);
  command->add_flag("--correct-bias", options->correct_bias,
                    "Biases take up the mean error that quantization makes in each channel");
  command->add_option("--first-last", options->first_last,
                      "Bits of the first and the last layer and what they take and give, as w8a8");
  auto* symmetric =
      command->add_flag("--symmetric", options->symmetric,
                        "Weights and activations symmetric (otherwise activations are asymmetric)");
  command->add_flag("--asymmetric", options->asymmetric, "Weights and activations asymmetric")
      ->excludes(symmetric);
  command->add_flag("--power-of-two", options->power_of_two, "Scales rounded up to powers of two");
  command
      ->add_option("--arithmetic", options->arithmetic,
                   "fixed (integer multiplier), shift (implies --power-of-two), or onnx (as ONNX Runtime)")
      ->check(CLI::IsMember({"fixed", "shift", "onnx"}))
      ->capture_default_str();
  command
      ->add_option("--mantissa", options->mantissa_bits,
                   "Bits of the multiplier of 'fixed': 8, 16 or 32 (otherwise 32)")
      ->check(CLI::IsMember({8, 16, 32}));
  command->add_flag("--json", options->json, "Print the summary as JSON");
  command->callback([options, &run] { run = [options] { return quantize(*options); }; });
}

}  // namespace halftone::cli
