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
#include "cli/integers.h"
#include "cli/model_file.h"
#include "cli/named_files.h"
#include "cli/preprocessing_option.h"
#include "cli/shape_option.h"
#include "cli/warnings.h"
#include "halftone/analysis/evaluate.h"
#include "halftone/base/error.h"
#include "halftone/base/exact_cast.h"
#include "halftone/base/new_files.h"
#include "halftone/base/not_a_number.h"
#include "halftone/data/file_names.h"
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
  if (model.integers && dumps) return std::make_unique<qgraph::Interpreter>(*model.integers);
  if (model.integers) return run_integers(*model.integers);
  if (dumps) return std::make_unique<ir::Interpreter>(model.graph);
  return float_engine::make_executor(model.graph);
}

// The files to write, once everything has been computed and found right.
struct Written {
  std::vector<NamedFile> outputs;
  NewFiles files;
};

std::vector<NamedFile> output_files(const ModelFile& model, const Options& options) {
  std::vector<NamedFile> outputs = parse_named_files("--output", options.outputs, model.output_names());
  for (const NamedFile& output : outputs) check_written({output.file});
  return outputs;
}

std::vector<Tensor> execute(const ModelFile& model, const std::vector<Tensor>& inputs, const Options& options,
                            Written& written) {
  ir::Visitor visit;
  data::FileNames names;
  if (!options.dump.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.dump, error);
    if (error) throw SystemError(options.dump, fmt::format("cannot make folder: {}", error.message()));
    visit = [&](std::string_view name, Tensor& value) {
      written.files.add(std::filesystem::path(options.dump) / (names.of(name) + ".npy"), data::encode_npy(value));
    };
  }
  for (std::size_t i = 0; i < inputs.size(); ++i)
    refuse_nan("run", fmt::format("input '{}'", model.input_names()[i]), inputs[i]);
  std::vector<Tensor> outputs = executor_of(model, !options.dump.empty())->run(inputs, visit);
  if (outputs.at(0).size() == 0) throw InputError(model.path, "its output has no elements");
  for (std::size_t i = 0; i < outputs.size(); ++i)
    refuse_nan(model.path, fmt::format("output '{}'", model.output_names()[i]), outputs[i]);
  add_outputs(written.outputs, model.output_names(), outputs, written.files);
  return outputs;
}

// Pixels are prepared as the model asks; numbers are taken as they are. A missing batch dimension is added.
Tensor prepare(const ModelFile& model, const ir::Value& value, Tensor input, const Options& options,
               std::optional<Preparation>& pixels) {
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
  pixels = options.preprocessing.choose({&model}, "");
  return data::apply(pixels->preprocessing, input);
}

nlohmann::json describe(const ModelFile& model, const std::vector<Tensor>& outputs) {
  nlohmann::json list = nlohmann::json::array();
  for (std::size_t i = 0; i < outputs.size(); ++i)
    list.push_back({{"name", model.output_names()[i]},
                    {"dtype", name_of(outputs[i].dtype())},
                    {"shape", outputs[i].shape()}});
  return list;
}

nlohmann::json to_json(const std::optional<Preparation>& pixels) {
  return pixels ? to_json(*pixels) : nlohmann::json();
}

void print_preparation(const std::optional<Preparation>& pixels) {
  if (pixels) print_line("{}", describe(*pixels));
}

void print_outputs(const ModelFile& model, const std::vector<Tensor>& outputs, const std::optional<Preparation>& pixels) {
  report::Table table({{"output"}, {"type"}, {"shape"}});
  for (std::size_t i = 0; i < outputs.size(); ++i)
    table.add_row(
        {model.output_names()[i], std::string(name_of(outputs[i].dtype())), to_string(outputs[i].shape())});
  fmt::print("{}", table.text());
  print_preparation(pixels);
}

int run_file(const ModelFile& model, const Options& options, Written& written) {
  const std::vector<std::string> names = model.input_names();
  std::vector<Tensor> inputs = read_inputs(parse_named_files("--input", options.inputs, names), names);
  std::optional<Preparation> pixels;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    inputs[i] = prepare(model, model.graph.value(model.graph.inputs[i]), std::move(inputs[i]), options, pixels);
  const std::vector<Tensor> outputs = execute(model, inputs, options, written);
  std::vector<std::int32_t> classes;
  if (outputs.size() == 1) classes = analysis::predictions(outputs[0]);
  written.files.publish();
  if (outputs.size() > 1) {
    if (options.json)
      print_json({{"outputs", describe(model, outputs)}, {"preparation", to_json(pixels)}});
    else
      print_outputs(model, outputs, pixels);
    return kYes;
  }
  const Tensor& y = outputs[0];
  if (options.json) {
    print_json(nlohmann::json{
        {"shape", y.shape()}, {"predictions", classes}, {"outputs", describe(model, outputs)}, {"preparation", to_json(pixels)}});
    return kYes;
  }
  print_line("output {} {}{}", name_of(y.dtype()), to_string(y.shape()),
             options.outputs.empty() ? "" : fmt::format(" -> {}", fmt::join(options.outputs, ", ")));
  for (std::size_t i = 0; i < std::min<std::size_t>(classes.size(), 10); ++i)
    print_line("  row {}: class {}", i, classes[i]);
  if (classes.size() > 10) print_line("  and {} more rows", classes.size() - 10);
  print_preparation(pixels);
  return kYes;
}

int run_sample(const ModelFile& model, const Options& options, Written& written) {
  const DataSource source = open_data(options.data, data::Part::test);
  const DataOptions data{.finds_nan = true, .preprocessing = options.preprocessing};  // the run looks at its one sample
  const calibration::Samples samples = data.take(source, model, Labels::wanted);
  if (options.index < 0 || options.index >= samples.size())
    throw UsageError("--index", fmt::format("got {}, expected 0 to {}", options.index, samples.size() - 1));
  const calibration::Batch batch = calibration::batch_of(
      samples, options.index, options.index + 1,
      {.batch_size = samples.fixed_batch.value_or(1), .fixed_batch = samples.fixed_batch.has_value()});
  const Tensor y =
      calibration::output_rows(execute(model, batch.inputs, options, written).at(0), batch, "run").cast(DType::float32);
  const auto scores = y.data<float>();
  std::vector<std::int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](auto a, auto b) {
    return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
  });
  written.files.publish();
  const nlohmann::json label = samples.labels.empty()
                                   ? nlohmann::json()
                                   : nlohmann::json(samples.labels[static_cast<std::size_t>(options.index)]);
  if (options.json) {
    print_json(nlohmann::json{{"prediction", order.at(0)},
                              {"label", label},
                              {"preparation", preparation_json(samples)},
                              {"scores", std::vector<float>(scores.begin(), scores.end())}});
    return kYes;
  }
  const Tensor image = samples.inputs[0].rows.rows(options.index, options.index + 1);
  if (image.dtype() == DType::uint8 && image.rank() == 4) fmt::print("{}", report::picture(image, 0));
  print_line("{} {}: class {}{}", source.name, options.index, order.at(0),
             label.is_null() ? "" : fmt::format(", labelled {}", label.get<std::int32_t>()));
  for (std::size_t i = 0; i < std::min<std::size_t>(order.size(), 3); ++i)
    print_line("  class {}: {:.4f}", order[i], scores[static_cast<std::size_t>(order[i])]);
  print_line("  {}", preparation_text(samples));
  return kYes;
}

int run_model(const Options& options) {
  const ModelFile model = load_model_file(options.model, options.shapes.input_shapes());
  Written written{.outputs = output_files(model, options), .files = {}};
  return options.inputs.empty() ? run_sample(model, options, written) : run_file(model, options, written);
}

}  // namespace

void add_run(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  const Command command = app.add_command("run", "Run a model on .npy arrays, or on one sample of a data set");
  command.footer(
      "Examples: halftone run mlp.int8.onnx --input x.npy --output y.npy --dump values\n"
      "          halftone run bert.onnx --input ids=ids.npy --input mask=mask.npy --output scores=s.npy\n"
      "          halftone run mlp.int8.onnx --data mnist --index 7");
  command.add_option("model", options->model, "ONNX model; a quantized one runs in integers").required();
  options->shapes.add_to(command);
  const Command source = command.add_group("source", "What to run it on");
  source.add_option("--input", options->inputs,
                   "NAME=FILE.npy for an input, FILE.npy for the first, or FILE.npz with an array for each; "
                   "one sample "
                   "or a batch; uint8 for a float input is taken as pixels; may be given for several")
      .one_value_each();
  const Option data = source.add_option("--data", options->data,
                                  "A data set: one sample of it is shown with its prediction");
  source.require_option(1, 1);
  command.add_option("--index", options->index, "Which sample of --data")
      .show_default()
      .needs(data);
  command.add_option(
          "--output", options->outputs,
          "NAME=FILE.npy for an output, FILE.npy for the first, or FILE.npz for all; integers of fewer "
          "than 8 bits become int8 or uint8; may be given for several")
      .one_value_each();
  command.add_option("--dump", options->dump,
                      "Folder for every value on the way as .npy, integers as integers");
  options->preprocessing.add_to(command);
  command.add_flag("--json", options->json, "Print JSON");
  command.when_chosen([options, &run] { run = [options] { return run_model(*options); }; });
}

}  // namespace halftone::cli
