#include "cli/training_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "halftone/base/error.h"
#include "halftone/models/build.h"
#include "halftone/quant/bits.h"

namespace halftone::cli {
namespace {

constexpr int kFloatEpochs = 20;  // before quantized ones, of a built-in network

qat::OptimizerKind optimizer_of(const std::string& name, qat::OptimizerKind otherwise) {
  if (name.empty()) return otherwise;
  return name == "sgd" ? qat::OptimizerKind::sgd : name == "adam" ? qat::OptimizerKind::adam : qat::OptimizerKind::adamw;
}

qat::Schedule schedule_of(const std::string& name) {
  return name == "stairs" ? qat::Schedule::stairs : name == "constant" ? qat::Schedule::constant : qat::Schedule::cosine;
}

qat::Augmentation augmentation_of(const std::string& name) {
  if (name == "crop") return qat::Augmentation::crop;
  if (name == "crop-flip") return qat::Augmentation::crop_flip;
  if (name == "cutout") return qat::Augmentation::cutout;
  return name == "affine" ? qat::Augmentation::affine : qat::Augmentation::none;
}

std::string quantizer_text() {
  std::vector<std::string> rows;
  for (const qat::Quantizer& each : qat::quantizers()) rows.push_back(fmt::format("{}: {}", each.name, each.text));
  return fmt::format("How steps move, by {}", fmt::join(rows, "; "));
}

// Leaves out of the options of recipes, and of their texts, what training refuses.
void keep_what_is_trained(Command command) {
  for (const char* untrained : {"--dynamic", "--codebook", "--bias-bits", "--asymmetric"}) command.remove_option(untrained);
  const std::pair<const char*, const char*> texts[] = {
      {"--bits", "Bits of weights (2 to 16; w1: binary, wt: ternary) and activations (1 to 16), as w4a8"},
      {"--granularity", "One weight scale for each: tensor or channel"},
      {"--error-feedback", "Weights rounded one after the other, the rest taking up the error (as GPTQ); so are fewer than 8 bits unless --adaround or --nearest says otherwise"},
      {"--power-of-two", "Scales rounded up to powers of two, with --quantizer ste, ste-pass or dorefa; tqt implies it"}};
  for (const auto& [name, text] : texts) command.option(name).description(text);
}

}  // namespace

void TrainingOptions::add_to(Command command) {
  command.add_option("model", model, finetunes ? "Float ONNX model" : fmt::format("{}, or an ONNX file to train further", fmt::join(models::names(), ", "))).required();
  command.add_option("-o,--output", output, "The ONNX file to write").required();
  file.add_recipe_output_to(command);
  file.shapes.add_to(command);
  data.may_be_missing = true;
  data.threads_text = finetunes ? "Threads to use (otherwise all cores to calibrate, and one to train: the same bytes need the same number)"
                                : "Threads to use (otherwise one: small networks train fastest so, and the same bytes need the same number)";
  data.add_to(command, data::Part::train, "Samples to train on, spread over the set (otherwise all)");
  recipe.add_to(command);
  keep_what_is_trained(command);
  add_training_to(command.add_group("Training"));
  add_quantized_to(command.add_group("Quantized epochs"));
  add_keeping_to(command.add_group("Progress and checkpoints"));
  command.add_flag("--json", json, "Print the result as JSON");
  command.footer(finetunes ? "Example: halftone finetune resnet20.onnx --data cifar10 --preset imagenet --bits w4a4 --epochs 10 -o r20.w4a4.onnx"
                           : "Examples: halftone train mlp --data mnist --epochs 10 --seed 1 -o mlp.onnx\n"
                             "          halftone train mlp --data mnist --float-epochs 20 --epochs 20 --bits w8a8 -o mlp.w8a8.onnx");
}

void TrainingOptions::add_training_to(Command group) {
  group.add_option("--epochs", epochs, finetunes ? "How often every sample is seen" : "How often every sample is seen; with --bits in quantized epochs").within(1, 1 << 30).show_default();
  if (!finetunes) {
    group.add_option("--float-epochs", float_epochs, fmt::format("With --bits, epochs before them in float (otherwise {} of a built-in network, 0 of a file)", kFloatEpochs)).within(0, 1 << 30);
    group.add_option("--float-learning-rate", float_learning_rate, "With --bits, the largest rate of these (otherwise 0.002)");
  }
  group.add_option("--learning-rate", learning_rate,
                   finetunes ? "The largest rate, of weights the largest of which is 1 (otherwise 0.0003)"
                             : "The largest rate (otherwise 0.002; with --bits 0.0003, of weights the largest of which is 1)");
  group.add_option("--batch-size", batch_size, "Samples a step").show_default();
  group.add_option("--optimizer", optimizer, "adam, adamw, or sgd with momentum (otherwise adamw in float epochs, adam in quantized ones)").one_of({"adam", "adamw", "sgd"});
  group.add_option("--momentum", momentum, "The momentum of sgd").show_default();
  group.add_option("--weight-decay", weight_decay, "Divided by the root of the number of steps, the part of a weight that a rate of 1 takes (otherwise 30 in float epochs of adamw, else 0)");
  group.add_option("--schedule", schedule, "How rates fall: cosine to 0, stairs to a tenth at half and a hundredth at three quarters, or constant").one_of({"cosine", "stairs", "constant"}).show_default();
  group.add_option("--warmup-epochs", warmup_epochs, "In which rates rise from 0").show_default();
  group.add_option("--label-smoothing", label_smoothing, "The part of each label that is spread over all classes (otherwise 0.1 in float epochs, 0 in quantized ones)");
  group.add_option("--augment", augment,
                   fmt::format("crop moves pictures by up to 4 pixels, crop-flip mirrors every other one too, cutout blanks a square too; affine turns, scales and moves; auto: {}",
                               finetunes ? "crop-flip for colour pictures" : "none"))
      .one_of({"auto", "none", "crop", "crop-flip", "cutout", "affine"})
      .show_default();
  group.add_option("--average", average, "A step keeps so much of an exponential average of weights, which is judged and written (as 0.999); 0: none").show_default();
  group.add_option("--patience", patience, "Ends after so many epochs without a better one by --held-out, and writes the best; 0: never").show_default();
  group.add_option("--seed", seed, finetunes ? "Decides the order of the samples" : "Decides the first weights and the order of the samples").show_default();
}

void TrainingOptions::add_quantized_to(Command group) {
  group.add_option("--quantizer", quantizer, quantizer_text()).show_default();
  group.add_option("--through", through, "Bits of stages before, as w8a8,w4a4: each stage takes its share of the epochs, and starts from what the one before has learnt");
  group.add_option("--step-rate", step_rate, "The largest rate of the logarithm of steps").show_default();
  group.add_option("--label-weight", label_weight,
                   fmt::format("The weight of labels in the loss, 0 to 1; the rest is the float network as teacher (otherwise {})", finetunes ? "0.3" : "1"));
  group.add_flag("--no-labels", no_labels, "Learn from the float network alone; accuracy is how often both name the same class").excludes(group.option("--label-weight"));
  group.add_option("--weight-noise", weight_noise, "none; stochastic rounds weights up or down by chance; additive adds noise of a step instead of rounding").one_of({"none", "stochastic", "additive"}).show_default();
  group.add_option("--freeze", freeze, "Weights that go to and fro between two integers in more than this share of steps stay (as 0.01); 0: never").show_default();
  group.add_option("--batch-norm-epochs", batch_norm_epochs,
                   "Epochs at the start, of each stage, in which layers with steps by channel and a bias, but the last, are normalized by the statistics of "
                   "batches, folded into steps and bias; those of the end stay")
      .within(0, 1 << 30)
      .show_default();
}

void TrainingOptions::add_keeping_to(Command group) {
  group.add_option("--held-out", held_out, "So many of the samples, at even spacing, are told the accuracy on instead of trained on").show_default();
  group.add_flag("--test-accuracy", test_accuracy, "Tell the accuracy on the test set, and on its first 100, after each epoch: to watch, not to choose by");
  group.add_option("--log", log, "A CSV file with a line an epoch");
  group.add_option("--html", page, "A page with the curves of accuracy and loss");
  const Option keep = group.add_option("--checkpoints", checkpoints, "A folder from which --resume goes on; the best network so far is there too");
  group.add_option("--resume", resume, "Goes on where the checkpoints of this folder are, with the same options").excludes(keep);
  group.add_option("--checkpoint-minutes", checkpoint_minutes, "A checkpoint is written after every epoch, and after so long").within(0.0, 1e6).show_default();
  group.add_option("--rank-timeout", rank_timeout, "Seconds that ranks (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT) wait for each other").within(1, 86400).show_default();
}

void TrainingOptions::set_common(qat::TrainOptions& training, const Tensor& images) const {
  training.seed = seed;
  training.batch_size = batch_size;
  training.optimizer = optimizer_of(optimizer, training.optimizer);
  training.momentum = momentum;
  if (weight_decay || training.optimizer != qat::OptimizerKind::adamw) training.weight_decay = weight_decay.value_or(0.0);
  training.schedule = schedule_of(schedule);
  training.warmup_epochs = warmup_epochs;
  if (label_smoothing) training.label_smoothing = *label_smoothing;
  training.average = average;
  training.patience = patience;
  training.threads = std::max(1, data.threads);
  const bool is_colour = images.rank() == 4 && images.dim(1) == 3;
  training.augmentation = augment == "auto" ? (finetunes && is_colour ? qat::Augmentation::crop_flip : qat::Augmentation::none) : augmentation_of(augment);
  if (patience > 0 && held_out == 0) throw UsageError("--patience", "needs rows to judge by, expected --held-out");
}

qat::TrainOptions TrainingOptions::float_training(bool quantizes, const Tensor& images) const {
  qat::TrainOptions training;
  set_common(training, images);
  const bool is_built_in = std::ranges::count(models::names(), model) > 0;
  training.epochs = quantizes ? float_epochs.value_or(is_built_in ? kFloatEpochs : 0) : epochs;
  training.learning_rate = (quantizes ? float_learning_rate : learning_rate).value_or(training.learning_rate);
  return training;
}

qat::FinetuneOptions TrainingOptions::quantized_training(const Tensor& images) const {
  qat::FinetuneOptions made{.quantizer = qat::quantizer(quantizer)};
  set_common(made.training, images);
  made.training.epochs = epochs;
  made.training.learning_rate = learning_rate.value_or(made.training.learning_rate);
  made.step_rate = step_rate;
  made.label_weight = no_labels ? 0.0 : label_weight.value_or(finetunes ? made.label_weight : 1.0);
  made.noise = weight_noise == "stochastic" ? qat::WeightNoise::stochastic : weight_noise == "additive" ? qat::WeightNoise::additive : qat::WeightNoise::none;
  made.freeze = freeze;
  made.batch_norm_epochs = batch_norm_epochs;
  return made;
}

void TrainingOptions::expect_float_alone(Command command) const {
  for (const char* name : {"--float-epochs", "--float-learning-rate", "--through", "--quantizer", "--step-rate", "--label-weight", "--no-labels", "--weight-noise", "--freeze", "--batch-norm-epochs",
                           "--first-last", "--sum-bits", "--output-bits", "--granularity", "--observer", "--weight-observer", "--adaround", "--error-feedback",
                           "--nearest", "--absorb-biases", "--svd", "--correct-bias", "--equalize", "--smooth", "--symmetric", "--full-range",
                           "--power-of-two", "--arithmetic", "--mantissa", "--rounding", "--recipe-output"})
    if (command.was_given(name)) throw UsageError(name, "is for quantized epochs, expected --bits too");
}

std::vector<quant::Recipe> TrainingOptions::stages() const {
  std::vector<quant::Recipe> all;
  std::istringstream words(through);
  for (std::string bits; std::getline(words, bits, ',');) {
    quant::parse_bits("--through", bits);
    all.push_back(recipe_at(bits));
  }
  if (!all.empty() && !recipe.file.empty()) throw UsageError("--through", "its stages take their bits from --bits, expected no --recipe");
  if (std::ssize(all) >= epochs) throw UsageError("--through", fmt::format("stages before the last, got {}, expected fewer than the {} of --epochs", all.size(), epochs));
  all.push_back(recipe_at(recipe.bits));
  return all;
}

quant::Recipe TrainingOptions::recipe_at(const std::string& bits_of_stage) const {
  constexpr int kSumBits = 8;
  constexpr int kOutputBits = 16;
  RecipeOptions options = recipe;
  options.bits = bits_of_stage;
  if (options.file.empty()) {
    const quant::Bits bits = quant::parse_bits("--bits", options.bits);
    const bool few_bits = bits.activations.value_or(8) < 8;
    if (few_bits && !options.sum_bits) options.sum_bits = kSumBits;
    if ((few_bits || quantizer == "lab") && !options.output_bits) options.output_bits = kOutputBits;
    if (bits.weights == 2 && bits.code == quant::WeightCode::affine) options.full_range = true;
    if (quantizer == "lab") {
      if (bits.code != quant::WeightCode::affine) throw UsageError("--quantizer", "lab has weights on a uniform grid, expected --bits of 2 or more for them");
      options.granularity = "tensor";
      options.full_range = true;
    }
    if (quantizer == "tqt") options.power_of_two = true;
  }
  return options.recipe();
}

}  // namespace halftone::cli
