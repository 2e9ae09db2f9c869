#include "halftone/analysis/evaluate.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/analysis_output.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/model_file.h"
#include "cli/number_list.h"
#include "cli/recipe_beside.h"
#include "cli/reference.h"
#include "cli/shape_option.h"
#include "cli/warnings.h"
#include "halftone/base/error.h"
#include "halftone/float_engine/executor.h"
#include "halftone/ir/work.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

struct Options {
  std::vector<std::string> models;
  ShapeOption shapes;
  DataOptions data;
  std::string output;     // whose largest number is the class
  std::string reference;  // outputs to compare with instead
  std::string only;       // of the ways to compute; empty: all
  bool json = false;
};

struct Row {
  std::string model;
  std::string mode;
  double accuracy = 0.0;
  double top5 = 0.0;
  double tied = 0.0;  // more, were ties decided for the label
  double tied_in_5 = 0.0;
  std::vector<std::int32_t> predictions;
  double same_class = 0.0;  // percent of samples with the class that the first row gives
  std::vector<analysis::OutputError> errors;  // against --reference
  std::int64_t samples = 0;
  std::int64_t bytes = 0;
  std::int64_t parameter_bytes = 0;
  qgraph::Work work;
  nlohmann::json preparation;
  Warnings warnings;
  nlohmann::json recipe_matches;  // check_recipe_beside
};

constexpr const char* kFloat = "float";
constexpr const char* kSimulated = "simulated";
constexpr const char* kInteger = "integer";

// The ways to compute that are asked for: a float model has the first of them, a quantized one the others.
struct Ways {
  bool real = false;
  bool simulated = false;
  bool integer = false;

  bool any_of(const ModelFile& model) const { return model.integers ? simulated || integer : real; }
};

Ways asked_ways(const std::string& only) {
  if (only.empty()) return {true, true, true};
  Ways ways;
  for (const std::string& word : parse_words("--only", only)) {
    if (word != kFloat && word != kSimulated && word != kInteger)
      throw UsageError("--only", fmt::format("got '{}', expected some of {}, {} and {}", word, kFloat, kSimulated, kInteger));
    ways.real = ways.real || word == kFloat;
    ways.simulated = ways.simulated || word == kSimulated;
    ways.integer = ways.integer || word == kInteger;
  }
  return ways;
}

// The arithmetic of a quantized model: integers alone, or with float beside them.
std::string mode_of(const qgraph::QuantizedGraph& graph) {
  const qgraph::Work work = qgraph::count_work(graph);
  if (work.float_nodes == 0) return graph.integer_only() ? "integer" : "integer, float between";
  return work.integer_nodes == 0 ? "float, integer weights" : "integer and float";
}

double two_decimals(double percent) { return std::round(percent * 100.0) / 100.0; }

// The samples that the models run on, and the outputs to compare with.
struct Task {
  DataSource source;
  data::NamedTensors reference;
  std::optional<ModelFile> reference_model;
  std::vector<const ModelFile*> table;  // all models, whose samples are prepared alike
};

Row evaluate_one(const ModelFile& model, const std::string& mode, const ir::Executor& network,
                 const calibration::Samples& samples, const std::vector<analysis::Reference>& references,
                 const Options& options) {
  Row row{.model = model.path,
          .mode = mode,
          .samples = samples.size(),
          .bytes = model.file_bytes,
          .parameter_bytes = model.parameter_bytes,
          .preparation = preparation_json(samples)};
  with_progress(options.data, samples, fmt::format("{} ({})", model.path, mode),
                [&](const calibration::BatchOptions& batches) {
                  if (!references.empty()) {
                    row.errors = analysis::compare_with(references, network, samples, batches);
                    return;
                  }
                  const analysis::Accuracy accuracy =
                      analysis::evaluate(network, samples, batches, output_index(model, options.output));
                  row.accuracy = accuracy.percent();
                  row.top5 = accuracy.percent(accuracy.correct_in_5);
                  row.tied = accuracy.percent(accuracy.tied);
                  row.tied_in_5 = accuracy.percent(accuracy.tied_in_5);
                  row.predictions = accuracy.predictions;
                });
  const auto nodes = static_cast<std::int64_t>(model.graph.nodes.size());
  if (mode == kFloat) {
    const std::vector<std::int64_t> macs = ir::multiply_adds(model.graph);
    row.work = {.float_nodes = nodes, .float_macs = std::reduce(macs.begin(), macs.end())};
  } else {
    row.work = qgraph::count_work(*model.integers);
    if (mode == kSimulated) row.work = {.float_nodes = nodes, .float_macs = row.work.integer_macs + row.work.float_macs};
  }
  return row;
}

void compare_classes(std::vector<Row>& rows) {
  for (Row& row : rows) {
    std::int64_t same = 0;
    for (std::size_t i = 0; i < row.predictions.size(); ++i)
      same += row.predictions[i] == rows[0].predictions[i] ? 1 : 0;
    row.same_class = 100.0 * static_cast<double>(same) / static_cast<double>(std::max<std::int64_t>(row.samples, 1));
  }
}

nlohmann::json to_json(const Row& row) {
  nlohmann::json out{{"model", row.model},
                     {"mode", row.mode},
                     {"samples", row.samples},
                     {"bytes", row.bytes},
                     {"parameter_bytes", row.parameter_bytes},
                     {"integer_nodes", row.work.integer_nodes},
                     {"float_nodes", row.work.float_nodes},
                     {"integer_macs", row.work.integer_macs},
                     {"float_macs", row.work.float_macs},
                     {"preparation", row.preparation},
                     {"warnings", row.warnings},
                     {"recipe_matches", row.recipe_matches}};
  if (row.errors.empty()) {
    out["accuracy"] = two_decimals(row.accuracy);
    out["top5"] = two_decimals(row.top5);
    out["tied"] = two_decimals(row.tied);
    out["tied_in_5"] = two_decimals(row.tied_in_5);
    out["same_class_as_first"] = two_decimals(row.same_class);
    return out;
  }
  for (const analysis::OutputError& error : row.errors)
    out["outputs"].push_back({{"name", error.name},
                              {"compared", error.compared},
                              {"cosine", error.cosine},
                              {"max_absolute_error", error.max_absolute},
                              {"relative_rms_error", error.relative_rms},
                              {"worst_channel", worst_channel_json(error.worst)}});
  return out;
}

// Among fewer classes than this, being among the five largest says little.
constexpr int kClassesForTop5 = 100;

std::string percents(double first, double fifth, bool top5) {
  return fmt::format("{:.2f} %", first) + (top5 ? fmt::format(" / {:.2f} %", fifth) : "");
}

// The first of equal numbers is the class. Integers are often equal, and other tools count those as right: a
// column says what that would give, where it matters.
void print_table(const std::vector<Row>& rows, int classes) {
  using Align = report::Table::Align;
  const bool top5 = classes >= kClassesForTop5;
  const bool ties = std::ranges::any_of(
      rows, [&](const Row& row) { return row.tied >= 0.1 || (top5 && row.tied_in_5 >= 0.1); });
  std::vector<report::Table::Column> columns{
      {"model"}, {"computed in"}, {top5 ? "top-1 / top-5" : "accuracy", Align::right}};
  if (ties) columns.push_back({"were ties right", Align::right});
  if (rows.size() > 1) columns.push_back({"class as the first", Align::right});
  columns.insert(columns.end(), {{"parameters", Align::right},
                                 {"file", Align::right},
                                 {"nodes int/float", Align::right},
                                 {"multiply-adds int/float", Align::right}});
  report::Table table(columns);
  for (const Row& row : rows) {
    std::vector<std::string> cells{row.model, row.mode, percents(row.accuracy, row.top5, top5)};
    if (ties) cells.push_back(percents(row.accuracy + row.tied, row.top5 + row.tied_in_5, top5));
    if (rows.size() > 1) cells.push_back(fmt::format("{:.2f} %", row.same_class));
    cells.insert(cells.end(), {report::format_bytes(row.parameter_bytes), report::format_bytes(row.bytes),
                               fmt::format("{}/{}", row.work.integer_nodes, row.work.float_nodes),
                               fmt::format("{}/{}", report::format_count(row.work.integer_macs),
                                           report::format_count(row.work.float_macs))});
    table.add_row(cells);
  }
  fmt::print("{}", table.text());
  if (!rows.empty())
    print_line("{} samples; multiply-adds of one sample", report::format_count(rows[0].samples));
}

void print_errors(const std::vector<Row>& rows) {
  using Align = report::Table::Align;
  report::Table table({{"model"},
                       {"computed in"},
                       {"output"},
                       {"cosine", Align::right},
                       {"largest error", Align::right},
                       {"relative RMS error", Align::right},
                       {"worst channel, error beside its spread", Align::right},
                       {"nodes int/float", Align::right}});
  for (const Row& row : rows)
    for (const analysis::OutputError& error : row.errors)
      table.add_row({row.model, row.mode, error.name, fmt::format("{:.6f}", error.cosine),
                     fmt::format("{:.6g}", error.max_absolute), fmt::format("{:.6g}", error.relative_rms),
                     error.worst ? analysis::describe(*error.worst) : "",
                     fmt::format("{}/{}", row.work.integer_nodes, row.work.float_nodes)});
  fmt::print("{}", table.text());
  if (!rows.empty()) print_line("{} samples", report::format_count(rows[0].samples));
}

// A float model once, a quantized one simulated and in integers, as far as asked for. Returns the samples as they were prepared.
calibration::Samples evaluate_model(const ModelFile& model, const Task& task, const Ways& ways, const Options& options,
                                    std::vector<Row>& rows) {
  const bool classes = task.reference.empty();
  calibration::Samples samples =
      options.data.take(task.source, model, classes ? Labels::wanted : Labels::ignored, task.table);
  if (classes && samples.labels.empty())
    throw InputError(samples.name,
                     "has no labels to count right classes by, expected an array y, or --reference");
  std::vector<analysis::Reference> references;
  if (!classes)
    references = analysis::match_reference(
        task.reference, outputs_of(model),
        {.output = options.output, .samples = samples.size(), .total = task.source.rows(model)}, "--reference");
  const auto add = [&](const std::string& mode, const ir::Executor& network) {
    rows.push_back(evaluate_one(model, mode, network, samples, references, options));
  };
  if (!model.integers) {
    add(kFloat, *executor_of(model));
    return samples;
  }
  const std::size_t before = rows.size();
  const nlohmann::json recipe_matches = check_recipe_beside(model);
  if (ways.simulated) add(kSimulated, *float_engine::make_executor(model.graph));
  if (ways.integer) add(mode_of(*model.integers), *executor_of(model));
  for (std::size_t i = before; i < rows.size(); ++i) rows[i].recipe_matches = recipe_matches;
  return samples;
}

void open_reference(const Options& options, Task& task) {
  if (options.reference.empty()) return;
  if (!is_model(options.reference)) {
    task.reference = read_reference(options.reference);
    return;
  }
  task.reference_model = load_model_file(options.reference, options.shapes.input_shapes());
  task.table.push_back(&*task.reference_model);
  task.reference = computed_reference(*task.reference_model, task.source, options.data, task.table);
}

// The models that have some of the ways asked for.
std::vector<const ModelFile*> chosen_models(const std::vector<ModelFile>& models, const Ways& ways, const std::string& only) {
  std::vector<const ModelFile*> chosen;
  for (const ModelFile& model : models)
    if (ways.any_of(model)) chosen.push_back(&model);
  if (chosen.empty())
    throw UsageError("--only", fmt::format("got {}, as none of the models is computed: expected {} for a float one, {} or {} for a quantized one",
                                           only, kFloat, kSimulated, kInteger));
  return chosen;
}

int evaluate(const Options& options) {
  const Ways ways = asked_ways(options.only);
  std::vector<ModelFile> models;
  for (const std::string& path : options.models) {
    models.push_back(load_model_file(path, options.shapes.input_shapes()));
    output_index(models.back(), options.output);
  }
  const std::vector<const ModelFile*> chosen = chosen_models(models, ways, options.only);
  Task task{.source = options.data.open(data::Part::test, models.front()), .reference = {}, .reference_model = {}, .table = {}};
  for (const ModelFile& model : models) task.table.push_back(&model);
  open_reference(options, task);
  std::vector<Row> rows;
  calibration::Samples first;
  Warnings warnings;
  for (const ModelFile* model : chosen) {
    const std::size_t before = rows.size();
    calibration::Samples samples = evaluate_model(*model, task, ways, options, rows);
    Warnings doubts = range_warnings(*model, samples);
    if (model == chosen[0]) {
      append(doubts, preparation_warnings(*model, samples, options.data, output_index(*model, options.output), rows[before].accuracy));
      first = std::move(samples);
    }
    for (std::size_t i = before; i < rows.size(); ++i) rows[i].warnings = doubts;
    append(warnings, std::move(doubts));
  }
  compare_classes(rows);
  if (!options.json) {
    if (options.reference.empty())
      print_table(rows, first.classes);
    else
      print_errors(rows);
    print_line("{}", preparation_text(first));
    print(warnings);
    return kYes;
  }
  print(warnings);
  nlohmann::json out = nlohmann::json::array();
  for (const Row& row : rows) out.push_back(to_json(row));
  print_json(out);
  return kYes;
}

}  // namespace

void add_evaluate(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  const Command command =
      app.add_command("evaluate",
                         "Accuracy of models in float, simulated and in integers, side by side; or how "
                         "far their outputs lie from others");
  command.footer(
      "Examples: halftone evaluate mlp.onnx mlp.int8.onnx --data mnist\n"
      "          halftone evaluate super.int8.onnx --data x.npy --reference super.onnx");
  command.add_option("models", options->models, "ONNX models; a quantized one is simulated and run in integers")
      .required();
  options->shapes.add_to(command);
  options->data.add_to(command, data::Part::test, "Samples to use, spread over the set (otherwise all)");
  command.add_option(
      "--output", options->output,
      "The output whose largest number is the class (otherwise the first), or the only one to "
      "compare with --reference");
  command.add_option(
      "--reference", options->reference,
      "Compare outputs instead of classes: an .npz with an array for each, an .npy for the only one "
      "(rows are samples), or an ONNX model that computes them");
  command.add_option("--only", options->only,
                     "Compute in these ways alone, float, simulated or integer, or two as float,integer (otherwise float models in float, and "
                     "quantized ones simulated and in integers)");
  command.add_flag("--json", options->json, "Print a JSON list");
  command.when_chosen([options, &run] { run = [options] { return evaluate(*options); }; });
}

}  // namespace halftone::cli
