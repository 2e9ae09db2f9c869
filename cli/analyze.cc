#include <nlohmann/json.hpp>
#include <fmt/format.h>

#include <memory>

#include "cli/analysis_output.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/model_file.h"
#include "cli/reference.h"
#include "cli/shape_option.h"
#include "cli/warnings.h"
#include "halftone/base/error.h"
#include "halftone/base/new_files.h"
#include "halftone/float_engine/executor.h"

namespace halftone::cli {
namespace {

constexpr std::int64_t kSamples = 512;
constexpr const char* kStandardOutput = "-";

struct Options {
  std::string real;
  std::string quantized;
  ShapeOption shapes;
  DataOptions data;
  std::string output;  // that is compared
  std::string json;
  std::string html;
};

void check_outputs(const Options& options) {
  if (options.html == kStandardOutput)
    throw UsageError("--html", fmt::format("got '{}', expected a file name", options.html));
  check_written({options.json == kStandardOutput ? "" : options.json, options.html});
}

void check_kinds(const ModelFile& real, const ModelFile& quantized) {
  if (real.integers && !quantized.integers)
    throw InputError(real.path, "got a quantized model before a float one, expected FLOAT, then QUANTIZED");
  if (real.integers) throw InputError(real.path, "is quantized already, expected a float model");
  if (!quantized.integers) throw InputError(quantized.path, "is a float model, expected a quantized one");
}

AnalysisResult measure(const Options& options) {
  const ModelFile real = load_model_file(options.real, options.shapes.input_shapes());
  const ModelFile quantized = load_model_file(options.quantized, options.shapes.input_shapes());
  check_kinds(real, quantized);
  const std::size_t output = output_index(quantized, options.output);
  AnalysisResult result{.real = options.real, .quantized = options.quantized};
  result.models = analysis::match(real.graph, quantized.graph);
  const DataSource source = options.data.open(data::Part::train, quantized);
  const calibration::Samples samples = options.data.take(source, quantized, Labels::wanted, {&quantized, &real});
  result.data = samples.name;
  result.preparation = preparation_json(samples);
  result.preparation_text = preparation_text(samples);
  result.warnings = range_warnings(quantized, samples);
  append(result.warnings, preparation_warnings(real, samples, options.data, output));
  with_progress(options.data, samples, "comparing values",
                [&](const calibration::BatchOptions& batches) {
                  result.errors =
                      analysis::observe_errors(result.models, samples, batches, float_engine::make_executor);
                });
  with_progress(options.data, samples, "layer by layer", [&](const calibration::BatchOptions& batches) {
    result.harm =
        analysis::measure_harm(result.models, samples, batches, float_engine::make_executor, output);
  });
  result.ranking = analysis::rank_layers(result.models, result.errors, result.harm);
  return result;
}

int analyze(const Options& options) {
  check_outputs(options);
  const AnalysisResult result = measure(options);
  const bool to_standard_output = options.json == kStandardOutput;
  NewFiles files;
  if (!options.html.empty()) files.add(options.html, report::analysis_page(page_of(result)));
  if (!options.json.empty() && !to_standard_output)
    files.add(options.json, analysis_json(result).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  files.publish();
  if (to_standard_output)
    print_json(analysis_json(result));
  else
    print_analysis(result);
  print(result.warnings);
  return kYes;
}

}  // namespace

void add_analyze(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  options->data.usual_samples = kSamples;
  options->data.finds_nan = true;  // names the layer that reads it
  const Command command = app.add_command(
      "analyze", "Where a quantized model's accuracy went: layer by layer, and what to try");
  command.footer(
      "Example: halftone analyze mlp.onnx mlp.int8.onnx --data mnist --html analysis.html\n"
      "Each layer is quantized alone, the rest float: its output error is how far the network's output then "
      "lies from the float one (relative RMS), split into its weights, its input (activation), its bias and "
      "its output (requantization).");
  command.add_option("float", options->real, "Float ONNX model").required();
  command.add_option("quantized", options->quantized, "What halftone quantize made of it").required();
  options->shapes.add_to(command);
  options->data.add_to(command, data::Part::train,
                       fmt::format("Samples to use, spread over the set (otherwise {})", kSamples));
  command.add_option(
      "--output", options->output,
      "The output that is compared, and whose largest number is the class (otherwise the first)");
  command.add_option("--json", options->json,
                   "Write everything as JSON, histograms too: to a file, or with - to standard output")
      .value_name("FILE");
  command.add_option("--html", options->html, "Write a page with plots, one file that needs no other")
      .value_name("FILE");
  command.when_chosen([options, &run] { run = [options] { return analyze(*options); }; });
}

}  // namespace halftone::cli
