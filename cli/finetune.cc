// `halftone finetune`, in the program that loads libtorch.
#include "cli/finetune.h"

#include <fmt/format.h>

#include <iostream>
#include <algorithm>
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
  std::int64_t held_out = 0;
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

// Samples as one tensor, prepared, and their labels.
qat::Examples examples_of(const calibration::Samples& samples, bool with_labels) {
  if (samples.inputs.size() != 1) throw UnsupportedError("finetune", fmt::format("{} inputs, expected 1", samples.inputs.size()));
  if (with_labels && samples.labels.empty())
    throw UsageError("--data", "no labels, expected some, or --no-labels to learn from the float network alone");
  return {samples.rows(0, samples.size()).at(0), with_labels ? samples.labels : std::vector<std::int32_t>{}};
}

// Colour pictures are moved and mirrored unless told otherwise.
qat::Augmentation augmentation_of(const std::string& name, const Tensor& images) {
  if (name == "crop") return qat::Augmentation::crop;
  const bool is_colour = images.rank() == 4 && images.dim(1) == 3;
  return name == "crop-flip" || (name == "auto" && is_colour) ? qat::Augmentation::crop_flip : qat::Augmentation::none;
}

qat::Quantizer quantizer_of(const Options& options) {
  return options.quantizer == "ste" ? qat::Quantizer::straight_through : qat::Quantizer::lsq;
}

qat::FinetuneOptions training_of(const Options& options, const Tensor& images) {
  qat::FinetuneOptions training = options.training;
  training.quantizer = quantizer_of(options);
  training.augmentation = augmentation_of(options.augment, images);
  training.threads = std::max(1, options.data.threads);
  if (options.no_labels) training.label_weight = 0;
  return training;
}

qat::EpochReport train(const qat::FinetuneTask& task, const qat::FinetuneOptions& training, qat::Finetuned& made) {
  report::Progress progress(std::cerr, report::stderr_options());
  qat::EpochReport last;
  made = qat::finetune(task, training, [&](const qat::TrainProgress& now) {
    last = now.report;
    progress.update(now.fraction, describe(last));
    if (now.epoch_ended) progress.line(describe(last));
  });
  return last;
}

void print_result(const Options& options, const quant::Recipe& recipe, const qat::EpochReport& last) {
  if (!options.json) {
    print_line("{} -> {}: {}, trained in {:.0f} s", options.model, options.output, quant::describe(recipe), last.seconds);
    return;
  }
  nlohmann::json out{{"model", options.model},         {"output", options.output},          {"recipe", quant::describe(recipe)},
                     {"epochs", last.epochs},          {"seed", options.training.seed},     {"training_loss", last.loss},
                     {"training_accuracy", 100.0 * last.accuracy}, {"seconds", last.seconds}};
  if (last.held_out) out["held_out_accuracy"] = 100.0 * *last.held_out;
  print_json(out);
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

// The samples that are held out, at even spacing, and the others.
std::pair<calibration::Samples, calibration::Samples> parted(const calibration::Samples& samples, std::int64_t held_out) {
  if (held_out < 0 || held_out >= samples.size())
    throw UsageError("--held-out", fmt::format("got {}, expected fewer than the {} samples", held_out, samples.size()));
  if (held_out == 0) return {calibration::Samples{}, samples};
  return {calibration::sample(samples, held_out), calibration::left_by_sample(samples, held_out)};
}

int finetune(const Options& options) {
  if (!options.data.given()) throw UsageError("--data", "or --images: no samples to train on, neither here nor in a recipe");
  const quant::Recipe recipe = recipe_of(options.recipe);
  qat::check_finetuning(recipe, quantizer_of(options));
  check_quantized_output(options.output, options.file);
  const ModelFile before = load_model_file(options.model, options.file.shapes.input_shapes());
  if (before.integers) throw InputError(options.model, "is quantized already, expected a float model");
  ir::Graph network = ptq::float_network(before.graph, recipe);
  refuse_islands(quant::preflight(network, recipe).islands, options.model);
  const calibration::Samples all =
      options.data.take(options.data.open(data::Part::train, before), before, options.no_labels ? Labels::ignored : Labels::wanted);
  const auto [kept, seen] = parted(all, options.held_out);
  const qat::Examples examples = examples_of(seen, !options.no_labels);
  const qat::Examples held_out = options.held_out > 0 ? examples_of(kept, !options.no_labels) : qat::Examples{};
  const qat::FinetuneOptions training = training_of(options, examples.images);
  qat::check_finetuning(network, examples, held_out, training);
  const calibration::Samples few = calibration::sample(seen, kCalibrationSamples);
  const ptq::Result start = ptq::quantize({.model = before.graph, .recipe = recipe, .runs = runs_for(few, options.data), .name = options.model, .network = std::move(network)});
  const ir::Graph teacher = ptq::float_network(before.graph, quant::Recipe{});
  qat::Finetuned made;
  const qat::EpochReport last = train({teacher, start.network, start.parameters, examples, held_out}, training, made);
  ptq::Integers integers = ptq::integers_of(made.network, made.parameters, recipe, options.model);
  ir::Graph& quantized = integers.quantized.graph;
  keep_label_offset(quantized.metadata, all);
  quantized.metadata[data::kPreprocessingKey] = data::encode(all.preprocessing);
  NewFiles files;
  write_quantized(quantized, recipe, options.data, options.file, options.output, files);
  files.publish();
  print_result(options, recipe, last);
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
  options->data.may_be_missing = true;
  options->data.threads_text = "Threads to use (otherwise all cores to calibrate, and one to train: the same bytes need the same number)";
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
  group.add_option("--held-out", options->held_out, "So many of the samples, at even spacing, are told the accuracy on instead of trained on").show_default();
  group.add_option("--seed", training.seed, "Decides the order of the samples").show_default();
  command.add_flag("--json", options->json, "Print the result as JSON");
  command.footer(
      "Example: halftone finetune resnet20.onnx --data cifar10 --preset imagenet --bits w4a4 --epochs 10 -o r20.w4a4.onnx");
  run = [options, command] {
    if (!options->recipe.file.empty()) take_over(options->recipe.file, command, options->data, options->file);
    return finetune(*options);
  };
}

}  // namespace halftone::cli
