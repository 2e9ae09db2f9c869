#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "cli/commands.h"
#include "cli/model_file.h"
#include "cli/shape_option.h"
#include "halftone/analysis/evaluate.h"
#include "halftone/base/error.h"
#include "halftone/data/load.h"
#include "halftone/data/npy.h"
#include "halftone/float_engine/executor.h"
#include "halftone/ir/interpreter.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/report/picture.h"

namespace halftone::cli {
namespace {

struct Options {
  std::string model;
  ShapeOption shapes;
  std::string input;
  std::string output;
  std::string dump;
  std::string data;
  std::int64_t index = 0;
  std::string preset;
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

std::vector<Tensor> execute(const ModelFile& model, const Tensor& input, const Options& options) {
  if (!options.output.empty()) check_writable(options.output);
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
  std::vector<Tensor> outputs = executor_of(model, !options.dump.empty())->run({&input, 1}, visit);
  if (outputs.at(0).size() == 0) throw InputError(model.path, "its output has no elements");
  if (!options.output.empty()) data::write_npy(options.output, outputs[0]);
  return outputs;
}

// Pixels are prepared as the model asks; numbers are taken as they are. A missing batch dimension is added.
Tensor prepare(const ModelFile& model, Tensor input, const Options& options) {
  const ir::Value& value = model.graph.value(model.graph.inputs[0]);
  if (input.rank() + 1 == value.shape.size()) {
    Shape shape = input.shape();
    shape.insert(shape.begin(), 1);
    input = input.reshaped(shape);
  }
  if (input.dtype() == DType::float64) input = input.cast(DType::float32);
  if (input.dtype() == DType::uint8 && value.dtype == DType::float32) {
    if (options.preset.empty() && !model.preprocessing)
      throw UsageError(options.input,
                       "holds pixels (uint8), and the model does not say how to prepare them; give --preset");
    input = data::apply(choose_preprocessing(model, options.preset, ""), input);
  }
  return input;
}

int run_file(const ModelFile& model, const Options& options) {
  const Tensor input = prepare(model, data::read_npy(options.input), options);
  const Tensor y = execute(model, input, options).at(0);
  const std::vector<std::int32_t> classes = analysis::predictions(y);
  if (options.json) {
    print_json(nlohmann::json{{"shape", y.shape()}, {"predictions", classes}});
    return kYes;
  }
  fmt::print("output {} {}{}\n", name_of(y.dtype()), to_string(y.shape()),
             options.output.empty() ? "" : " -> " + options.output);
  for (std::size_t i = 0; i < std::min<std::size_t>(classes.size(), 10); ++i)
    fmt::print("  row {}: class {}\n", i, classes[i]);
  if (classes.size() > 10) fmt::print("  and {} more rows\n", classes.size() - 10);
  return kYes;
}

int run_sample(const ModelFile& model, const Options& options) {
  const data::Dataset dataset = data::load(options.data, data::Part::test);
  if (options.index < 0 || options.index >= dataset.size())
    throw UsageError("--index", fmt::format("got {}, expected 0 to {}", options.index, dataset.size() - 1));
  const data::Preprocessing preprocessing = choose_preprocessing(model, options.preset, dataset.name);
  const Tensor image = dataset.images.rows(options.index, options.index + 1);
  const Tensor input = pad_rows(data::apply(preprocessing, image), model.batch_size(1));
  const Tensor y = execute(model, input, options).at(0).rows(0, 1).cast(DType::float32);
  const auto scores = y.data<float>();
  std::vector<std::int32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](auto a, auto b) {
    return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
  });
  const std::int32_t label = dataset.labels[static_cast<std::size_t>(options.index)];
  if (options.json) {
    print_json(nlohmann::json{{"prediction", order.at(0)},
                              {"label", label},
                              {"scores", std::vector<float>(scores.begin(), scores.end())}});
    return kYes;
  }
  if (image.dtype() == DType::uint8 && image.rank() == 4) fmt::print("{}", report::picture(image, 0));
  fmt::print("{} {}: class {}, labelled {}\n", dataset.name, options.index, order.at(0), label);
  for (std::size_t i = 0; i < std::min<std::size_t>(order.size(), 3); ++i)
    fmt::print("  class {}: {:.4f}\n", order[i], scores[static_cast<std::size_t>(order[i])]);
  return kYes;
}

int run_model(const Options& options) {
  const ModelFile model = load_model_file(options.model, options.shapes.input_shapes());
  return options.input.empty() ? run_sample(model, options) : run_file(model, options);
}

}  // namespace

void add_run(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "Run a model on a .npy array, or on one image of a data set");
  command->footer(
      "Examples: halftone run mlp.int8.onnx --input x.npy --output y.npy --dump values\n"
      "          halftone run mlp.int8.onnx --data mnist --index 7");
  command->add_option("model", options->model, "ONNX model; a quantized one runs in integers")->required();
  options->shapes.add_to(*command);
  auto* source = command->add_option_group("source", "What to run it on");
  source->add_option("--input", options->input,
                     "A .npy array: one sample or a batch; uint8 is taken as pixels");
  auto* data =
      source->add_option("--data", options->data, "A data set: one image of it is shown with its prediction");
  source->require_option(1);
  command->add_option("--index", options->index, "Which image of --data")->capture_default_str()->needs(data);
  command->add_option("--output", options->output, "Write the first output as .npy");
  command->add_option("--dump", options->dump,
                      "Folder for every value on the way as .npy, integers as integers");
  command->add_option("--preset", options->preset,
                      "How pixels become numbers: raw, mnist, cifar10, imagenet or tf (otherwise the model's "
                      "own, or the data set's usual one)");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &run] { run = [options] { return run_model(*options); }; });
}

}  // namespace halftone::cli
