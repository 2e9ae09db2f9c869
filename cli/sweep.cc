#include "halftone/analysis/sweep.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <set>

#include "cli/commands.h"
#include "cli/reference.h"
#include "cli/sweep_table.h"
#include "cli/warnings.h"
#include "halftone/analysis/evaluate.h"
#include "halftone/base/digest.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/float_engine/executor.h"
#include "halftone/passes/pass.h"

namespace halftone::cli {
namespace {

void check_outputs(const SweepOptions& options) {
  check_written({options.output, options.json, options.html});
  if (is_special_file(options.output))
    throw UsageError("-o", fmt::format("got '{}', expected a file that can grow", options.output));
}

// A digest of the file, which a pipe gives once only, and, as weights may lie in others, of every constant.
std::string model_digest(const ModelFile& model) {
  Digest digest;
  if (!is_special_file(model.path)) digest.add(read_file(model.path));
  for (const ir::Value& value : model.graph.values)
    if (value.constant) digest.add(value.constant->bytes());
  return digest.text();
}

SweepSettings settings_of(const SweepTable& table, const SweepTask& task) {
  SweepSettings settings{{"model", model_digest(task.model)},
                         {"data", describe(task.samples)},
                         {"output", task.options.scores.empty() ? "the first" : task.options.scores}};
  for (auto& setting : table.settings(task)) settings.push_back(std::move(setting));
  return settings;
}

calibration::Samples labelled_samples(const SweepOptions& options, const ModelFile& model) {
  calibration::Samples samples = options.data.take(options.data.open(data::Part::train, model), model, Labels::wanted);
  if (samples.labels.empty())
    throw InputError(samples.name, "has no labels to count right classes by, expected an array y");
  name_part(samples, options.data);
  return samples;
}

std::int64_t right_in_float(const SweepTask& task) {
  const auto network = float_engine::make_executor(task.graph);
  std::int64_t correct = 0;
  with_progress(task.options.data, task.samples, "float", [&](const auto& batches) {
    correct =
        analysis::evaluate(*network, task.samples, batches, output_index(task.model, task.options.scores))
            .correct;
  });
  return correct;
}

void measure(SweepTable& table, const SweepTask& task, SweepFile& file) {
  const std::vector<std::size_t> missing = file.missing();
  if (missing.empty()) return;
  const std::vector<analysis::SweepCell> cells = table.cells(task, missing);
  const std::string title = fmt::format("{} cells", cells.size());
  with_progress(task.options.data, task.samples, title, [&](const auto& batches) {
    analysis::sweep(
        cells, task.samples,
        {.batches = batches,
         .output = output_index(task.model, task.options.scores),
         .done = [&](std::size_t i, const analysis::CellCounts& counts) { file.store(missing[i], counts); }});
  });
}

int sweep(const SweepOptions& options) {
  if (options.word_length.empty() && options.bits.empty())
    throw UsageError("sweep", "got neither --word-length nor --bits, expected one of them");
  const bool calibrated = !options.bits.empty() || options.accumulator.has_value();
  if (!calibrated && (!options.calibration_data.empty() || options.calibration_samples))
    throw UsageError("--calibration-data, --calibration-samples", "are for --bits and --accumulator");
  const std::unique_ptr<SweepTable> table =
      options.bits.empty() ? fixed_point_table(options) : bits_table(options);
  check_outputs(options);
  const ModelFile model = load_model_file(options.model, options.shapes.input_shapes());
  if (model.integers) throw InputError(options.model, "is quantized already, expected a float model");
  output_index(model, options.scores, "--scores");
  SweepTask task{.options = options, .model = model, .graph = passes::simplify(model.graph), .samples = {}, .warnings = {}};
  table->check(model, task.graph, options.allow_float);
  task.samples = labelled_samples(options, model);
  task.warnings = preparation_warnings(model, task.samples, options.data, output_index(model, options.scores));
  print(task.warnings);
  table->open(task);
  SweepFile file(options.output, {.title = table->title(),
                                  .settings = settings_of(*table, task),
                                  .key_columns = table->key_columns(),
                                  .networks = table->networks(),
                                  .cells = table->keys(),
                                  .samples = task.samples.size()});
  const double float_percent = task.percent(right_in_float(task));
  measure(*table, task, file);
  present(task, *table, file, float_percent);
  return kYes;
}

Option add_fixed_point_options(Command command, SweepOptions& options) {
  Option table = command.add_option("--word-length", options.word_length,
                                          "Bits of every layer's weights in fixed point, 1 to 16, as 1-8 or "
                                          "4,8: a table of word and fraction length");
  command.add_option("--fraction-length", options.fraction_length,
                  "How many of them are behind the point: all (1 to the word length), or as 0-12")
      .needs(table)
      .show_default();
  command.add_option("--overflow", options.overflow,
                  "What becomes of weights beyond the word: saturate, or wrap (the low bits stay)")
      .needs(table)
      .one_of({"saturate", "wrap"})
      .show_default();
  command.add_option("--accumulator", options.accumulator,
                  "Bits, as 16: each layer's inputs become 8-bit fixed point and its sums of products stay "
                  "within these bits, with --overflow after every product (otherwise sums are float)")
      .needs(table)
      .within(8, 24);
  return table;
}

Option add_bits_options(Command command, SweepOptions& options) {
  Option table =
      command.add_option("--bits", options.bits,
                         "Instead: bits of weights and activations as quantize takes them, w8a8,w4a8,w4: a "
                         "table of bits, observer and granularity, weights rounded to the nearest, evaluated in integers");
  command.add_option("--observer", options.observer,
                  "Observers of the activations, as minmax,mse,percentile=99.9")
      .needs(table)
      .show_default();
  command.add_option("--granularity", options.granularity, "tensor, channel or group=INPUTS, or several: tensor,channel")
      .needs(table)
      .show_default();
  command.add_flag("--allow-float", options.allow_float, "Nodes without an integer form stay float")
      .needs(table);
  return table;
}

void add_calibration_options(Command command, SweepOptions& options) {
  command.add_option(
      "--calibration-data", options.calibration_data,
      "What ranges are chosen on, for --bits and --accumulator (otherwise the training part of "
      "--data)");
  command.add_option("--calibration-samples", options.calibration_samples,
                  fmt::format("How many samples of it (otherwise {})", kCalibrationSamples))
      .within(1, 1 << 30);
}

}  // namespace

void add_sweep(Command app, Run& run) {
  auto options = std::make_shared<SweepOptions>();
  const Command command = app.add_command(
      "sweep", "Accuracy over a table of formats: fixed-point weights, or bits, observers and granularities");
  command.footer(
      "Examples: halftone sweep mlp.onnx --data mnist --word-length 1-8 -o sweep.csv --html sweep.html\n"
      "          halftone sweep mlp.onnx --data mnist --bits w8a8,w4a8 --observer minmax,mse,kl "
      "--granularity tensor,channel -o bits.csv\n"
      "The table is written cell by cell; the same command goes on where one was stopped. What is chosen by "
      "it should be chosen on training samples, which are the default; --data mnist:test asks for others.");
  command.add_option("model", options->model, "Float ONNX model").required();
  options->shapes.add_to(command);
  options->data.add_to(command, data::Part::train, "Samples to use, spread over the set (otherwise all)");
  Option word_length = add_fixed_point_options(command, *options);
  word_length.excludes(add_bits_options(command, *options));
  add_calibration_options(command, *options);
  command.add_option("--scores", options->scores,
                      "The network's output whose largest number is the class (otherwise the first)");
  command.add_option("-o,--output", options->output, "Table to write, or to complete").required();
  command.add_option("--json", options->json, "The same as JSON, with the best of every row");
  command.add_option("--html", options->html, "A page with a heat map");
  command.when_chosen([options, &run] { run = [options] { return sweep(*options); }; });
}

}  // namespace halftone::cli
