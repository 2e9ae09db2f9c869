#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/model_file.h"
#include "cli/named_files.h"
#include "cli/preprocessing_option.h"
#include "cli/shape_option.h"
#include "halftone/analysis/evaluate.h"
#include "halftone/base/error.h"
#include "halftone/base/exact_cast.h"
#include "halftone/data/npy.h"
#include "halftone/float_engine/executor.h"
#include "halftone/ir/interpreter.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/report/picture.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

struct Options {
  std::string model;
  ShapeOption shapes;
  std::vector<std::string> inputs;   // FILE or NAME=FILE
  std::vector<std::string> outputs;  // the same
  std::string dump;
  std::string data;
  std::int64_t index = 0;
  PreprocessingOption preprocessing;
  bool json = false;
};

// Values that are looked at one by one are the plain interpreter's.
std::unique_ptr<ir::Executor> executor_of(const ModelFile& model, bool dumps) {
  if (model.integers) return std::make_unique<qgraph::Interpreter>(*model.integers);
  if (dumps) return std::make_unique<ir::Interpreter>(model.graph);
  return float_engine::make_executor(model.graph);
}

// Names as file names: nothing that leads out of the folder, no two the same, none longer than a file system
// takes.
class FileNames {
 public:
  std::string of(std::string_view value) {
    std::string name(value.substr(0, 200));
    for (char& c : name)
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-' && c != '.') c = '_';
    if (name.empty() || name.front() == '.') name.insert(0, "_");
    while (!used_.insert(name).second) name += '_';
    return name + ".npy";
  }

 private:
  std::set<std::string> used_;
};

std::vector<Tensor> execute(const ModelFile& model, const std::vector<Tensor>& inputs,
                            const Options& options) {
  const std::vector<NamedFile> files = parse_named_files("--output", options.outputs, model.output_names());
  std::set<std::string> written;
  for (const NamedFile& file : files) {
    check_writable(file.file);
    if (!written.insert(file.file).second)
      throw UsageError("--output", fmt::format("{} given twice", file.file));
  }
  ir::Visitor visit;
  FileNames names;
  if (!options.dump.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.dump, error);
    if (error) throw SystemError(options.dump, fmt::format("cannot make folder: {}", error.message()));
    visit = [&](std::string_view name, Tensor& value) {
      data::write_npy(std::filesystem::path(options.dump) / names.of(name), value);
    };
  }
  std::vector<Tensor> outputs = executor_of(model, !options.dump.empty())->run(inputs, visit);
  if (outputs.at(0).size() == 0) throw InputError(model.path, "its output has no elements");
  write_outputs(files, model.output_names(), outputs);
  return outputs;
}

// Pixels are prepared as the model asks; numbers are taken as they are. A missing batch dimension is added.
Tensor prepare(const ModelFile& model, const ir::Value& value, Tensor input, const Options& options) {
  if (input.rank() + 1 == value.shape.size()) {
    Shape shape = input.shape();
    shape.insert(shape.begin(), 1);
    input = input.reshaped(shape);
  }
  if (input.dtype() != DType::uint8 || value.dtype != DType::float32)
    return exact_cast(input, value.dtype, fmt::format("input '{}'", value.name));
  if (!options.preprocessing.given() && !model.preprocessing)
    throw UsageError(value.name,
                     "gets pixels (uint8), and the model does not say how to prepare them; give --preset");
  return data::apply(options.preprocessing.choose(model, ""), input);
}

nlohmann::json describe(const ModelFile& model, const std::vector<Tensor>& outputs) {
  nlohmann::json list = nlohmann::json::array();
  for (std::size_t i = 0; i < outputs.size(); ++i)
    list.push_back({{"name", model.output_names()[i]},
                    {"dtype", name_of(outputs[i].dtype())},
                    {"shape", outputs[i].shape()}});
  return list;
}

void print_outputs(const ModelFile& model, const std::vector<Tensor>& outputs) {
  report::Table table({{"output"}, {"type"}, {"shape"}});
  for (std::size_t i = 0; i < outputs.size(); ++i)
    table.add_row(
        {model.output_names()[i], std::string(name_of(outputs[i].dtype())), to_string(outputs[i].shape())});
  fmt::print("{}", table.text());
}

int run_file(const ModelFile& model, const Options& options) {
  const std::vector<std::string> names = model.input_names();
  std::vector<Tensor> inputs = read_inputs(parse_named_files("--input", options.inputs, names), names);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    inputs[i] = prepare(model, model.graph.value(model.graph.inputs[i]), std::move(inputs[i]), options);
  const std::vector<Tensor> outputs = execute(model, inputs, options);
  if (outputs.size() > 1) {
    if (options.json)
      print_json({{"outputs", describe(model, outputs)}});
    else
      print_outputs(model, outputs);
    return kYes;
  }
  const Tensor& y = outputs[0];
  const std::vector<std::int32_t> classes = analysis::predictions(y);
  if (options.json) {
    print_json(nlohmann::json{
        {"shape", y.shape()}, {"predictions", classes}, {"outputs", describe(model, outputs)}});
    return kYes;
  }
  fmt::print("output {} {}{}\n", name_of(y.dtype()), to_string(y.shape()),
             options.outputs.empty() ? "" : fmt::format(" -> {}", fmt::join(options.outputs, ", ")));
  for (std::size_t i = 0; i < std::min<std::size_t>(classes.size(), 10); ++i)
    fmt::print("  row {}: class {}\n", i, classes[i]);
  if (classes.size() > 10) fmt::print("  and {} more rows\n", classes.size() - 10);
  return kYes;
}

int run_sample(const ModelFile& model, const Options& options) {
  const DataSource source = open_data(options.data, data::Part::test);
  analysis::Samples samples = samples_from(source, model, true);
  if (options.index < 0 || options.index >= samples.size())
    throw UsageError("--index", fmt::format("got {}, expected 0 to {}", options.index, samples.size() - 1));
  samples.preprocessing = options.preprocessing.choose(model, source.name);
  const analysis::Batch batch = analysis::batch_of(
      samples, options.index, options.index + 1,
      {.batch_size = samples.fixed_batch.value_or(1), .fixed_batch = samples.fixed_batch.has_value()});
  const Tensor y =
      analysis::output_rows(execute(model, batch.inputs, options).at(0), batch, "run").cast(DType::float32);
  const auto scores = y.data<float>();
  std::vector<std::int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](auto a, auto b) {
    return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
  });
  const nlohmann::json label = samples.labels.empty()
                                   ? nlohmann::json()
                                   : nlohmann::json(samples.labels[static_cast<std::size_t>(options.index)]);
  if (options.json) {
    print_json(nlohmann::json{{"prediction", order.at(0)},
                              {"label", label},
                              {"scores", std::vector<float>(scores.begin(), scores.end())}});
    return kYes;
  }
  const Tensor image = samples.inputs[0].rows.rows(options.index, options.index + 1);
  if (image.dtype() == DType::uint8 && image.rank() == 4) fmt::print("{}", report::picture(image, 0));
  fmt::print("{} {}: class {}{}\n", source.name, options.index, order.at(0),
             label.is_null() ? "" : fmt::format(", labelled {}", label.get<std::int32_t>()));
  for (std::size_t i = 0; i < std::min<std::size_t>(order.size(), 3); ++i)
    fmt::print("  class {}: {:.4f}\n", order[i], scores[static_cast<std::size_t>(order[i])]);
  return kYes;
}

int run_model(const Options& options) {
  const ModelFile model = load_model_file(options.model, options.shapes.input_shapes());
  return options.inputs.empty() ? run_sample(model, options) : run_file(model, options);
}

}  // namespace

void add_run(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "Run a model on .npy arrays, or on one sample of a data set");
  command->footer(
      "Examples: halftone run mlp.int8.onnx --input x.npy --output y.npy --dump values\n"
      "          halftone run bert.onnx --input ids=ids.npy --input mask=mask.npy --output scores=s.npy\n"
      "          halftone run mlp.int8.onnx --data mnist --index 7");
  command->add_option("model", options->model, "ONNX model; a quantized one runs in integers")->required();
  options->shapes.add_to(*command);
  auto* source = command->add_option_group("source", "What to run it on");
  source
      ->add_option("--input", options->inputs,
                   "NAME=FILE.npy for an input, FILE.npy for the first, or FILE.npz with an array for each; "
                   "one sample "
                   "or a batch; uint8 for a float input is taken as pixels; may be given for several")
      ->allow_extra_args(false);
  auto* data = source->add_option("--data", options->data,
                                  "A data set: one sample of it is shown with its prediction");
  source->require_option(1);
  command->add_option("--index", options->index, "Which sample of --data")
      ->capture_default_str()
      ->needs(data);
  command
      ->add_option(
          "--output", options->outputs,
          "NAME=FILE.npy for an output, FILE.npy for the first, or FILE.npz for all; integers of fewer "
          "than 8 bits become int8 or uint8; may be given for several")
      ->allow_extra_args(false);
  command->add_option("--dump", options->dump,
                      "Folder for every value on the way as .npy, integers as integers");
  options->preprocessing.add_to(*command);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &run] { run = [options] { return run_model(*options); }; });
}

}  // namespace halftone::cli
