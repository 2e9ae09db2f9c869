// `halftone finetune`, in the program that loads libtorch.
#include "cli/finetune.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/calibration.h"
#include "cli/data_options.h"
#include "cli/quantization.h"
#include "cli/recipe_options.h"
#include "halftone/base/error.h"
#include "halftone/base/new_files.h"
#include "halftone/onnx_io/save.h"
#include "halftone/ptq/ptq.h"
#include "halftone/qat/finetune.h"
#include "halftone/quant/bits.h"
#include "halftone/report/progress.h"

namespace halftone::cli {
namespace {

struct Options {
  std::string model;
  std::string output;
  DataOptions data;
  RecipeOptions recipe;
  FileSettings file;
  qat::FinetuneOptions training;
  std::string quantizer = "lsq";
  std::string augment = "auto";
  bool no_labels = false;
  bool json = false;
};

std::string describe(const qat::EpochReport& report) {
  std::string line = fmt::format("epoch {}/{}  loss {:.4f}  accuracy {:.2f} %", report.epoch, report.epochs, report.loss, 100.0 * report.accuracy);
  if (report.held_out) line += fmt::format("  held out {:.2f} %", 100.0 * *report.held_out);
  return line;
}

// All samples as one tensor, prepared, and their labels.
struct Rows {
  Tensor images;
  std::vector<std::int32_t> labels;
};

Rows all_rows(const calibration::Samples& samples, bool with_labels) {
  Rows rows;
  if (samples.inputs.size() != 1) throw UnsupportedError("finetune", fmt::format("{} inputs, expected 1", samples.inputs.size()));
  rows.images = samples.rows(0, samples.size()).at(0);
  if (with_labels) rows.labels = samples.labels;
  if (with_labels && rows.labels.empty()) throw UsageError("--data", "no labels, expected some, or --no-labels to learn from the float network alone");
  return rows;
}

// Colour pictures are moved and mirrored unless told otherwise.
qat::Augmentation augmentation_of(const std::string& name, const Tensor& images) {
  if (name == "crop") return qat::Augmentation::crop;
  const bool is_colour = images.rank() == 4 && images.dim(1) == 3;
  return name == "crop-flip" || (name == "auto" && is_colour) ? qat::Augmentation::crop_flip : qat::Augmentation::none;
}

qat::Finetuned trained(const Options& options, const ptq::Result& start, const Rows& rows, qat::EpochReport& last) {
  report::Progress progress(std::cerr, report::stderr_options());
  qat::FinetuneOptions training = options.training;
  training.augmentation = augmentation_of(options.augment, rows.images);
  if (options.no_labels) training.label_weight = 0;
  return qat::finetune(start.network, start.parameters, rows.images, rows.labels, training, [&](const qat::TrainProgress& now) {
    last = now.report;
    progress.update(now.fraction, describe(last));
    if (now.epoch_ended) progress.line(describe(last));
  });
}

// With activations of fewer than 8 bits, what is not said is as it was measured to train best.
quant::Recipe recipe_of(RecipeOptions options) {
  constexpr int kSumBits = 8;
  constexpr int kOutputBits = 16;
  const bool few_bits = options.file.empty() && quant::parse_bits("--bits", options.bits).activations.value_or(8) < 8;
  if (few_bits && !options.sum_bits) options.sum_bits = kSumBits;
  if (few_bits && !options.output_bits) options.output_bits = kOutputBits;
  return options.recipe();
}

int finetune(const Options& options) {
  const quant::Recipe recipe = recipe_of(options.recipe);
  check_quantized_output(options.output, options.file);
  const ModelFile before = load_model_file(options.model, options.file.shapes.input_shapes());
  if (before.integers) throw InputError(options.model, "is quantized already, expected a float model");
  ir::Graph network = ptq::float_network(before.graph, recipe);
  refuse_islands(quant::preflight(network, recipe).islands, options.model);
  const calibration::Samples samples = options.data.take(options.data.open(data::Part::train, before), before, options.no_labels ? Labels::ignored : Labels::wanted);
  const Rows rows = all_rows(samples, !options.no_labels);
  const calibration::Samples few = calibration::sample(samples, kCalibrationSamples);
  const ptq::Result start = ptq::quantize({.model = before.graph, .recipe = recipe, .runs = runs_for(few, options.data), .name = options.model, .network = std::move(network)});
  qat::EpochReport last;
  const qat::Finetuned made = trained(options, start, rows, last);
  ptq::Integers integers = ptq::integers_of(made.network, made.parameters, recipe, options.model);
  ir::Graph& quantized = integers.quantized.graph;
  keep_label_offset(quantized.metadata, samples);
  quantized.metadata[data::kPreprocessingKey] = data::encode(samples.preprocessing);
  NewFiles files;
  write_quantized(quantized, recipe, options.data, options.file, options.output, files);
  files.publish();
  if (options.json)
    print_json({{"model", options.model}, {"output", options.output}, {"recipe", quant::describe(recipe)}, {"training_loss", last.loss}, {"seconds", last.seconds}});
  else
    print_line("{} -> {}: {}, trained in {:.0f} s", options.model, options.output, quant::describe(recipe), last.seconds);
  return kYes;
}

}  // namespace

void add_finetune(Command command, Run& run) {
  auto options = std::make_shared<Options>();
  qat::FinetuneOptions& training = options->training;
  options->file.recipe_use = "halftone finetune MODEL --recipe THIS -o OUT trains at the same bits; options of training are not in it";
  command.add_option("model", options->model, "Float ONNX model").required();
  command.add_option("-o,--output", options->output, "ONNX file to write, with the arithmetic in its metadata").required();
  options->file.add_recipe_output_to(command);
  options->file.shapes.add_to(command);
  options->data.add_to(command, data::Part::train, "Samples to train on, spread over the set (otherwise all)");
  options->recipe.add_to(command);
  const Command group = command.add_group("Training");
  group.add_option("--epochs", training.epochs, "How often every sample is seen").show_default();
  group.add_option("--quantizer", options->quantizer, "lsq learns steps, ste keeps those of quantize").one_of({"lsq", "ste"}).show_default();
  group.add_option("--learning-rate", training.learning_rate, "Of weights, the largest that a channel can hold being 1; falls to 0 by the last step").show_default();
  group.add_option("--step-rate", training.step_rate, "Of the logarithm of steps").show_default();
  group.add_option("--label-weight", training.label_weight, "Of the labels in the loss, 0 to 1; the rest is the float network as teacher").show_default();
  group.add_flag("--no-labels", options->no_labels, "Learn from the float network alone; accuracy is how often both name the same class");
  group.add_option("--batch-size", training.batch_size, "Samples a step").show_default();
  group.add_option("--augment", options->augment, "crop moves pictures by up to 4 pixels, crop-flip mirrors every other one too; auto: crop-flip for colour pictures")
      .one_of({"auto", "none", "crop", "crop-flip"}).show_default();
  group.add_option("--held-out", training.held_out, "So many of the samples, the last ones, are told the accuracy on instead of trained on").show_default();
  group.add_option("--seed", training.seed, "Decides the order of the samples").show_default();
  command.add_flag("--json", options->json, "Print the result as JSON");
  command.footer("Example: halftone finetune resnet20.onnx --data cifar10 --preset imagenet --bits w4a4 --epochs 10 -o r20.w4a4.onnx");
  run = [options, command] {
    options->training.quantizer = options->quantizer == "ste" ? qat::Quantizer::straight_through : qat::Quantizer::lsq;
    options->training.threads = options->data.threads > 0 ? options->data.threads : 1;
    if (!options->recipe.file.empty()) take_over(options->recipe.file, command, options->data, options->file);
    return finetune(*options);
  };
}

}  // namespace halftone::cli
