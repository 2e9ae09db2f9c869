#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/calibration.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/quantization.h"
#include "cli/recipe_options.h"
#include "cli/warnings.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/new_files.h"
#include "halftone/analysis/calibration_doubts.h"
#include "halftone/onnx_io/save.h"
#include "halftone/quant/calibration_file.h"
#include "halftone/ptq/ptq.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

constexpr std::int64_t kFewLooks = 8;

struct Options {
  std::string model;
  std::string output;
  std::string float_output;
  DataOptions data;
  RecipeOptions recipe;
  FileSettings file;
  bool json = false;
};

// The result of quantizing, and doubts about it.
struct Result {
  ptq::Integers model;
  Written written;
  std::int64_t calibrated_on = 0;  // samples; 0: on none here
  Warnings warnings;
};

nlohmann::json summary(const Options& options, const quant::Recipe& recipe, const ModelFile& before,
                       const Result& result) {
  nlohmann::json islands = nlohmann::json::array();
  for (const quant::Island& island : result.model.islands)
    islands.push_back({{"node", island.name},
                       {"op", island.op},
                       {"reason", island.reason.text},
                       {"multiply_adds", island.multiply_adds},
                       {"ends_network", island.ends_network}});
  const qgraph::Work work = qgraph::count_work(result.model.integers);
  return {{"model", options.model},
          {"output", options.output},
          {"recipe", quant::describe(recipe)},
          {"calibration_samples", result.calibrated_on},
          {"ranges", options.file.ranges},
          {"bytes_before", before.file_bytes},
          {"bytes", result.written.bytes},
          {"parameter_bytes_before", before.parameter_bytes},
          {"parameter_bytes", result.written.parameter_bytes},
          {"integer_nodes", work.integer_nodes},
          {"integer_macs", work.integer_macs},
          {"float_nodes", islands},
          {"float_macs", work.float_macs},
          {"notes", result.model.quantized.notes},
          {"warnings", result.warnings}};
}

void print_summary(const nlohmann::json& s, const std::string& preparation) {
  print_line("{} -> {}", s["model"].get<std::string>(), s["output"].get<std::string>());
  print_line("  recipe       {}", s["recipe"].get<std::string>());
  if (s["calibration_samples"] != 0)
    print_line("  calibrated   on {} samples", report::format_count(s["calibration_samples"]));
  if (!s["ranges"].empty())
    print_line("  ranges       of {}", fmt::join(s["ranges"].get<std::vector<std::string>>(), ", "));
  if (!preparation.empty()) print_line("  samples      {}", preparation);
  print_line("  parameters   {} -> {}", report::format_bytes(s["parameter_bytes_before"]),
             report::format_bytes(s["parameter_bytes"]));
  print_line("  layers       {} in integers with {} multiply-adds, {} in float with {}",
             s["integer_nodes"].get<std::int64_t>(), report::format_count(s["integer_macs"]),
             s["float_nodes"].size(), report::format_count(s["float_macs"]));
  for (const auto& node : s["float_nodes"])
    print_line(
        "    {}: {} '{}': {}", node["ends_network"].get<bool>() ? "float end of the network" : "float",
        node["op"].get<std::string>(), node["node"].get<std::string>(), node["reason"].get<std::string>());
  for (const auto& note : s["notes"]) print_line("  note: {}", note.get<std::string>());
}

// The contents of all files that `calibrate` wrote, of the network that the recipe makes.
quant::CalibrationFile joined(const std::vector<std::string>& files, const quant::Recipe& recipe) {
  quant::CalibrationFile all;
  for (const std::string& file : files) {
    const std::vector<std::byte> bytes = read_file(file, quant::kMostCalibrationBytes);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    quant::join(all, quant::calibration_from_json(text, file), file);
  }
  if (files.empty()) return all;
  if (const auto missing = quant::missing_samples(all); !missing.empty())
    throw InputError(files[0], fmt::format("is one of parts of {} samples, of which {} to {} are missing: expected all parts",
                                           all.total, missing[0].first, missing[0].second - 1));
  if (all.equalized != recipe.equalize)
    throw InputError(files[0], all.equalized ? "is of an equalized network, expected --equalize here too"
                                             : "is of a network that was not equalized");
  if (all.svd != recipe.svd)
    throw InputError(files[0], fmt::format("is of a network made with --svd {}, got --svd {} (0: none)", all.svd, recipe.svd));
  return all;
}

// How pixels are prepared, where samples, an option or a file of ranges says so.
std::optional<std::string> preprocessing_of(const Options& options, const ModelFile& model, const calibration::Samples& samples,
                                            const std::string& of_ranges) {
  std::optional<data::Preprocessing> told;
  if (options.data.given())
    told = samples.preprocessing;
  else if (options.data.preprocessing.given())
    told = options.data.preprocessing.choose({&model}, "").preprocessing;
  if (of_ranges.empty()) return told ? std::optional(data::encode(*told)) : std::nullopt;
  const std::string& file = options.file.ranges[0];
  try {
    data::decode(of_ranges);
  } catch (const InputError& error) {
    throw InputError(file, error.what());
  }
  if (told && data::encode(*told) != of_ranges)
    throw InputError(file, fmt::format("saw pixels prepared as '{}', got '{}'", of_ranges, data::encode(*told)));
  return of_ranges;
}

// The value that wants the most.
Warnings shortage_warnings(const std::vector<quant::Shortage>& shortages, std::int64_t samples) {
  const auto ratio = [](const quant::Shortage& s) {
    return static_cast<double>(s.wanted) / static_cast<double>(std::max<std::int64_t>(s.seen, 1));
  };
  const auto most = std::ranges::max_element(shortages, {}, ratio);
  if (most == shortages.end()) return {};
  const auto enough = static_cast<std::int64_t>(std::ceil(ratio(*most) * static_cast<double>(samples)));
  return {fmt::format("[{}] {} saw {} values of it in {} samples, and wants {}: {} samples or more", most->value,
                      calibration::describe(most->observer), report::format_count(most->seen), report::format_count(samples),
                      report::format_count(most->wanted), report::format_count(enough))};
}

// The digest that `calibrate` gives its network, which has no biases that a later correction needs.
std::string digest_at_calibration(const ir::Graph& model, quant::Recipe recipe) {
  recipe.correct_bias = quant::BiasCorrection::none;
  return quant::digest_of(ptq::float_network(model, recipe));
}

// Doubts about the ranges of `made`, which come from files or from the samples.
Warnings range_doubts(const Options& options, const quant::Recipe& recipe, const ir::Graph& model,
                      const quant::CalibrationFile& calibrated, const calibration::Samples& samples, const ptq::Result& made, Looks& looks) {
  if (recipe.weight_only) return {};
  if (options.file.ranges.empty()) {
    Warnings warnings = shortage_warnings(quant::shortages(made.network, made.seen, recipe), samples.size());
    append(warnings, calibration_warnings(made.network, samples, made.seen, options.data));
    return warnings;
  }
  std::int64_t count = 0;
  for (const auto& [first, last] : calibrated.samples) count += last - first;
  Warnings warnings = shortage_warnings(quant::shortages(made.network, calibrated.seen, recipe, calibrated.set), count);
  if (count > 0 && count < analysis::kFewSamples)
    warnings.push_back(fmt::format("[{}] ranges are chosen on {} samples, expected some {} or more", options.file.ranges[0], count,
                                   analysis::kFewSamples));
  if (!calibrated.network.empty() && calibrated.network != digest_at_calibration(model, recipe))
    warnings.push_back(fmt::format("[{}] has the ranges of another network: values have the names of {}, and weights differ",
                                   options.file.ranges[0], options.model));
  // A few samples show whether channels are lost.
  if (samples.size() > 0) calibrate(made.network, calibration::sample(samples, kFewLooks), options.data, &looks);
  looks.classes.reset();
  return warnings;
}

// Refuses what contradicts itself or cannot be written, before anything is read.
void check_settings(const Options& options, const quant::Recipe& recipe) {
  const bool given_ranges = !options.file.ranges.empty();
  if (recipe.weight_only && given_ranges) throw UsageError("--ranges", "of activations, which stay float");
  if (recipe.dynamic && options.file.format != "qdq")
    throw UsageError("--format", fmt::format("{} with dynamic ranges, expected qdq: they are ONNX's operators on integers as it is",
                                             options.file.format));
  if (ptq::needs_samples_before_calibration(recipe) && given_ranges)
    throw UsageError("--ranges", "of a network that --smooth and --absorb-biases have not changed by samples: calibrate here");
  check_quantized_output(options.output, options.file);
  check_written({options.float_output});
}

// Refuses what has no form in integers or in the file's format, before any work.
// Returns the float network.
ir::Graph check_network(const Options& options, const quant::Recipe& recipe, const ir::Graph& model, bool may_stay_float) {
  ir::Graph network = ptq::float_network(model, recipe);
  if (!may_stay_float) refuse_islands(quant::preflight(network, recipe).islands, options.model);
  check_format(network, recipe, options.file.format);
  return network;
}

// Beside ranges, and how to do without.
std::string what_reads_samples(const Options& options, const quant::Recipe& recipe) {
  const bool corrects = recipe.correct_bias == quant::BiasCorrection::measured;
  const bool may_change = options.recipe.file.empty() && !options.recipe.adaround;
  std::string what = "the rounding of weights";
  std::string without = "--nearest";
  if (options.recipe.nearest || recipe.weights.rounding == quant::WeightRounding::nearest) what = without = "";
  if (corrects) what += what.empty() ? "bias correction" : " and bias correction";
  if (corrects) without += without.empty() ? "--correct-bias=none" : " --correct-bias=none";
  return what + (may_change ? ", expected some, or " + without : ", expected some");
}

void expect_samples(const Options& options, const quant::Recipe& recipe, const ir::Graph& model) {
  if (options.data.given()) return;
  options.data.expect_no_image_options();
  const bool has_ranges = !options.file.ranges.empty();
  const bool needed = ptq::needs_samples(recipe, has_ranges);
  if (needed && has_ranges)
    throw UsageError("--data", "or --images: no samples for " + what_reads_samples(options, recipe));
  if (needed) throw UsageError("--data", "or --images: no samples to calibrate on, neither here nor in a recipe");
  if (recipe.correct_bias == quant::BiasCorrection::analytic && ptq::known_distributions(model, recipe).empty())
    throw UsageError("--data", "or --images: no samples and no batch normalizations to correct biases by");
}

// The float network, in metadata and file as what was made of it.
void write_models(const Options& options, const quant::Recipe& recipe, ir::Graph graph,
                  const std::optional<std::string>& preprocessing, const calibration::Samples& samples, Result& result) {
  ir::Graph& quantized = result.model.quantized.graph;
  for (ir::Graph* written : {&graph, &quantized})
    if (samples.size() > 0) keep_label_offset(written->metadata, samples);
  if (preprocessing) quantized.metadata[data::kPreprocessingKey] = graph.metadata[data::kPreprocessingKey] = *preprocessing;
  NewFiles files;
  if (!options.float_output.empty()) onnx_io::save_model(graph, options.float_output, files);
  result.written = write_quantized(quantized, recipe, options.data, options.file, options.output, files);
  files.publish();
}

int quantize(const Options& options) {
  const quant::Recipe recipe = options.recipe.recipe();
  check_settings(options, recipe);
  quant::CalibrationFile calibrated = joined(options.file.ranges, recipe);
  const ModelFile before = load_model_file(options.model, options.file.shapes.input_shapes());
  if (before.integers) throw InputError(options.model, "is quantized already, expected a float model");
  const bool may_stay_float = options.file.allow_float || recipe.weight_only;
  ir::Graph network = check_network(options, recipe, before.graph, may_stay_float);
  expect_samples(options, recipe, before.graph);
  calibration::Samples samples;
  if (options.data.given()) samples = options.data.take(options.data.open(data::Part::train, before), before, Labels::welcome);
  const auto preprocessing = preprocessing_of(options, before, samples, calibrated.preprocessing);
  Looks looks;
  ptq::Result made = ptq::quantize({.model = before.graph,
                                    .recipe = recipe,
                                    .runs = runs_for(samples, options.data, &looks),
                                    .ranges = options.file.ranges.empty() ? nullptr : &calibrated,
                                    .name = options.model,
                                    .network = std::move(network)});
  // A node that can't become integers is refused before anything is written.
  if (!may_stay_float) refuse_islands(made.made.islands, options.model);
  Result result{.warnings = range_doubts(options, recipe, before.graph, calibrated, samples, made, looks)};
  append(result.warnings, lost_part_warnings(made.network, made.parameters, made.seen, looks));
  result.model = std::move(made.made);
  if (ptq::needs_samples(recipe, !options.file.ranges.empty()) || recipe.correct_bias == quant::BiasCorrection::analytic)
    result.calibrated_on = samples.size();
  if (result.calibrated_on > 0) append(result.warnings, noise_warnings(options.data));
  if (samples.size() > 0 && result.calibrated_on == 0)
    result.model.quantized.notes.push_back("the samples given were not read: nothing here asks for them");
  if (samples.size() > 0) append(result.warnings, preparation_warnings(before, samples, options.data, 0, looks.right()));
  write_models(options, recipe, std::move(made.network), preprocessing, samples, result);
  nlohmann::json out = summary(options, recipe, before, result);
  if (samples.size() > 0) out["preparation"] = preparation_json(samples);
  if (options.json)
    print_json(out);
  else
    print_summary(out, samples.size() > 0 ? preparation_text(samples) : "");
  print(result.warnings);
  return kYes;
}

}  // namespace

void add_quantize(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  options->data.usual_samples = kCalibrationSamples;
  options->data.may_be_missing = true;
  const Command command =
      app.add_command("quantize", "Turn a float model into integers, calibrated on training data");
  command.footer(
      "Example: halftone quantize mlp.onnx --data mnist -o mlp.int8.onnx\n"
      "A model of which a node would stay float is refused (halftone inspect --check lists them) unless "
      "--allow-float "
      "is given. A Softmax, LogSoftmax, ArgMax or Hardmax that ends the network needs no flag: it only reads "
      "the "
      "answer off, and stays the float end of the network.");
  command.add_option("model", options->model, "Float ONNX model").required();
  command.add_option("-o,--output", options->output, "ONNX file to write, with the arithmetic in its metadata")
      .required();
  options->file.add_recipe_output_to(command);
  command.add_option("--format", options->file.format,
                   "qdq (Quantize/Dequantize pairs), qoperator (QLinearConv, …; ONNX Runtime's for what ONNX "
                   "lacks) or "
                   "qonnx (Quant nodes)")
      .one_of({"qdq", "qoperator", "qonnx"})
      .show_default();
  command.add_flag("--allow-float", options->file.allow_float,
                    "Nodes without an integer form stay float, between Dequantize and Quantize");
  command.add_option("--float-output", options->float_output,
                   "Write the float network as --svd, --equalize, --absorb-biases and --smooth leave it (and with zeros where "
                   "--correct-bias gives a bias): what the integers are compared with")
      .value_name("FILE");
  options->file.shapes.add_to(command);
  options->data.samples_name = "--calibration-samples";
  options->data.add_to(command, data::Part::train,
                       "Samples to calibrate on, spread over the set (otherwise 1024)");
  options->recipe.add_to(command);
  command.add_option("--ranges", options->file.ranges,
                      "Files of halftone calibrate, instead of calibrating: one, or all parts");
  command.add_flag("--json", options->json, "Print the summary as JSON");
  command.when_chosen([options, command, &run] {
    run = [options, command] {
      if (!options->recipe.file.empty())
        take_over(options->recipe.file, command, options->data, options->file);
      return quantize(*options);
    };
  });
}

}  // namespace halftone::cli
