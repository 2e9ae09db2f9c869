#include "halftone/analysis/evaluate.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/model_file.h"
#include "cli/shape_option.h"
#include "halftone/float_engine/executor.h"
#include "halftone/ir/interpreter.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

constexpr std::int64_t kBatch = 64;

struct Options {
  std::vector<std::string> models;
  ShapeOption shapes;
  DataOptions data;
  bool json = false;
};

struct Row {
  std::string model;
  std::string mode;
  double accuracy = 0.0;
  double top5 = 0.0;
  std::int64_t samples = 0;
  std::int64_t bytes = 0;
  std::int64_t parameter_bytes = 0;
  qgraph::Work work;
};

double two_decimals(double percent) { return std::round(percent * 100.0) / 100.0; }

std::int64_t float_macs(const ir::Graph& graph) {
  std::int64_t macs = 0;
  for (const ir::Node& node : graph.nodes) {
    if (node.inputs.size() < 2) continue;
    macs += qgraph::multiply_adds(node.op, graph.value(node.inputs[0]).shape,
                                  graph.value(node.inputs[1]).shape, graph.value(node.outputs[0]).shape);
  }
  return macs;
}

Row evaluate_one(const ModelFile& model, const std::string& mode, const ir::Executor& network,
                 const data::Dataset& dataset, const Options& options) {
  const data::Preprocessing preprocessing = choose_preprocessing(model, options.data, dataset.name);
  Row row{.model = model.path,
          .mode = mode,
          .bytes = model.file_bytes,
          .parameter_bytes = parameter_bytes(model.graph)};
  with_progress(options.data, model, kBatch, fmt::format("{} ({})", model.path, mode),
                [&](const analysis::BatchOptions& batches) {
                  const analysis::Accuracy accuracy =
                      analysis::evaluate(network, dataset, preprocessing, batches);
                  row.accuracy = accuracy.percent();
                  row.top5 = accuracy.percent(accuracy.correct_in_5);
                  row.samples = accuracy.samples;
                });
  if (mode == "integer")
    row.work = qgraph::count_work(*model.integers);
  else
    row.work = {.float_nodes = static_cast<std::int64_t>(model.graph.nodes.size()),
                .float_macs = float_macs(model.graph)};
  return row;
}

nlohmann::json to_json(const Row& row) {
  return {{"model", row.model},
          {"mode", row.mode},
          {"accuracy", two_decimals(row.accuracy)},
          {"top5", two_decimals(row.top5)},
          {"samples", row.samples},
          {"bytes", row.bytes},
          {"parameter_bytes", row.parameter_bytes},
          {"integer_nodes", row.work.integer_nodes},
          {"float_nodes", row.work.float_nodes},
          {"integer_macs", row.work.integer_macs},
          {"float_macs", row.work.float_macs}};
}

// Among fewer classes than this, being among the five largest says little.
constexpr int kClassesForTop5 = 100;

void print_table(const std::vector<Row>& rows, int classes) {
  using Align = report::Table::Align;
  const bool top5 = classes >= kClassesForTop5;
  report::Table table({{"model"},
                       {"computed in"},
                       {top5 ? "top-1 / top-5" : "accuracy", Align::right},
                       {"parameters", Align::right},
                       {"file", Align::right},
                       {"nodes int/float", Align::right},
                       {"multiply-adds int/float", Align::right}});
  for (const Row& row : rows)
    table.add_row({row.model, row.mode,
                   fmt::format("{:.2f} %", row.accuracy) + (top5 ? fmt::format(" / {:.2f} %", row.top5) : ""),
                   report::format_bytes(row.parameter_bytes), report::format_bytes(row.bytes),
                   fmt::format("{}/{}", row.work.integer_nodes, row.work.float_nodes),
                   fmt::format("{}/{}", report::format_count(row.work.integer_macs),
                               report::format_count(row.work.float_macs))});
  fmt::print("{}", table.text());
  if (!rows.empty())
    fmt::print("{} samples; multiply-adds of one sample\n", report::format_count(rows[0].samples));
}

int evaluate(const Options& options) {
  std::vector<ModelFile> models;
  for (const std::string& path : options.models)
    models.push_back(load_model_file(path, options.shapes.input_shapes()));
  const data::Dataset dataset = options.data.load(data::Part::test, models.front().input_shape());
  std::vector<Row> rows;
  for (const ModelFile& model : models) {
    if (!model.integers) {
      rows.push_back(
          evaluate_one(model, "float", *float_engine::make_executor(model.graph), dataset, options));
      continue;
    }
    rows.push_back(evaluate_one(model, "simulated", ir::Interpreter(model.graph), dataset, options));
    rows.push_back(evaluate_one(model, "integer", qgraph::Interpreter(*model.integers), dataset, options));
  }
  if (!options.json) {
    print_table(rows, dataset.classes);
    return kYes;
  }
  nlohmann::json out = nlohmann::json::array();
  for (const Row& row : rows) out.push_back(to_json(row));
  print_json(out);
  return kYes;
}

}  // namespace

void add_evaluate(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("evaluate", "Accuracy of models in float, simulated and in integers, side by side");
  command->footer("Example: halftone evaluate mlp.onnx mlp.int8.onnx --data mnist");
  command
      ->add_option("models", options->models, "ONNX models; a quantized one is simulated and run in integers")
      ->required();
  options->shapes.add_to(*command);
  options->data.add_to(*command, data::Part::test, "Samples to use, spread over the set (otherwise all)");
  command->add_flag("--json", options->json, "Print a JSON list");
  command->callback([options, &run] { run = [options] { return evaluate(*options); }; });
}

}  // namespace halftone::cli
