#include "cli/training.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/calibration.h"
#include "cli/process.h"
#include "cli/quantization.h"
#include "cli/training_identity.h"
#include "cli/training_output.h"
#include "cli/warnings.h"
#include "halftone/base/new_files.h"
#include "halftone/models/build.h"
#include "halftone/onnx_io/save.h"
#include "halftone/ptq/ptq.h"
#include "halftone/qat/train.h"

namespace halftone::cli {
namespace {

// Training mends what few samples get wrong, and rounding by more of them would take more memory than training.
constexpr std::int64_t kStartSamples = 256;

// A network, and the rows that it is trained and judged on.
struct Subject {
  ModelFile model;
  calibration::Samples all;
  calibration::Samples seen;  // of them, what is trained on
  qat::Examples examples;
  qat::Examples held_out;
  qat::Examples test;
};

bool is_built_in(const std::string& model) { return std::ranges::count(models::names(), model) > 0; }

ModelFile load_model(const TrainingOptions& options) {
  const std::filesystem::path path(options.model);
  if (!options.finetunes && !path.has_parent_path() && !path.has_extension() && !std::filesystem::exists(path))
    throw UsageError("model", fmt::format("neither a network nor a file, got '{}', expected {} or an ONNX file", options.model, fmt::join(models::names(), ", ")));
  ModelFile model = load_model_file(options.model, options.file.shapes.input_shapes());
  if (model.integers) throw InputError(options.model, "is quantized already, expected a float model");
  if (model.graph.inputs.size() != 1) throw UnsupportedError(options.model, fmt::format("{} inputs, expected 1 for training", model.graph.inputs.size()));
  return model;
}

// Samples as one tensor, prepared, and their labels.
qat::Examples examples_of(const calibration::Samples& samples, bool with_labels) {
  if (with_labels && samples.labels.empty())
    throw UsageError("--data", "no labels, expected some, or --no-labels of finetune to learn from the float network alone");
  return {samples.rows(0, samples.size()).at(0), with_labels ? samples.labels : std::vector<std::int32_t>{}};
}

// The test rows of the same set.
calibration::Samples test_samples(const TrainingOptions& options, const ModelFile& model) {
  DataOptions data = options.data;
  if (!data.images.empty() || data.is_noise() || data::parse_source(data.data).part || std::filesystem::is_regular_file(data.data))
    throw UsageError("--test-accuracy", "needs a set with a training and a test part, expected --data NAME");
  data.samples.reset();
  return data.take(data.open(data::Part::test, model), model, Labels::wanted);
}

Subject take_subject(const TrainingOptions& options) {
  if (!options.data.given()) throw UsageError("--data", "or --images: no samples to train on, neither here nor in a recipe");
  const bool with_labels = !options.no_labels;
  Subject subject;
  DataSource source;
  if (!options.finetunes && is_built_in(options.model)) {
    if (options.data.data.empty() || options.data.is_noise()) throw UsageError("--data", "a built-in network takes a set with labels");
    options.data.expect_no_image_options();
    source.dataset = data::load(options.data.data, data::Part::train);
    source.name = source.dataset->name;
    subject.model = {.path = options.model, .graph = models::build(options.model, options.seed, {.classes = source.dataset->classes})};
  } else {
    subject.model = load_model(options);
    source = options.data.open(data::Part::train, subject.model);
  }
  subject.all = options.data.take(source, subject.model, with_labels ? Labels::wanted : Labels::ignored);
  if (options.held_out < 0 || options.held_out >= subject.all.size())
    throw UsageError("--held-out", fmt::format("got {}, expected 0 or more, and fewer than the {} samples", options.held_out, subject.all.size()));
  subject.seen = options.held_out > 0 ? calibration::left_by_sample(subject.all, options.held_out) : subject.all;
  subject.examples = examples_of(subject.seen, with_labels);
  if (options.held_out > 0) subject.held_out = examples_of(calibration::sample(subject.all, options.held_out), with_labels);
  if (options.test_accuracy) subject.test = examples_of(test_samples(options, subject.model), with_labels);
  return subject;
}

// Everything that the phases share.
class Training {
 public:
  Training(const TrainingOptions& options, bool quantizes)
      : options_(options), quantizes_(quantizes), ranks_(ranks_of(options)), subject_(take_subject(options)), output_(options, ranks_.is_first()) {
    if (quantizes_) {
      stages_ = options.stages();
      recipe_ = stages_.back();
      quantized_ = std::make_unique<qat::FinetuneOptions>(options.quantized_training(subject_.examples.images));
    }
    if (!options.finetunes) float_ = options.float_training(quantizes, subject_.examples.images);
    else float_.epochs = 0;
    prepare_folder();
  }

  int run() {
    if (!options_.folder().empty()) signals_.emplace();
    check();
    if (ranks_.is_first()) print(resume_warnings());
    try {
      if (float_.epochs > 0) train_in_float();
      if (quantizes_) train_quantized();
      else write_float(subject_.model.graph, options_.output);
    } catch (const qat::Stopped& stopped) {
      output_.erase();
      const std::string text = fmt::format("stopped in epoch {}; --resume {} goes on", stopped.epoch, options_.folder());
      if (!signals_->asked()) throw SystemError(fmt::format("rank {} of {}", ranks_.rank(), ranks_.size()), "another rank was asked to end: " + text);
      if (ranks_.is_first()) fmt::print(stderr, "{}\n", text);
      return kYes;  // the signal ends the process
    }
    output_.erase();
    if (ranks_.is_first()) {
      print(warnings());
      print_result();
    }
    return kYes;
  }

 private:
  static qat::Ranks ranks_of(const TrainingOptions& options) {
    auto settings = qat::ranks_in_environment();
    if (!settings) return qat::Ranks();
    settings->timeout = std::chrono::seconds(options.rank_timeout);
    return qat::Ranks(*settings);
  }

  void prepare_folder() const {
    if (options_.folder().empty()) return;
    std::error_code none;
    if (!options_.resume.empty()) {
      if (!std::filesystem::is_directory(options_.resume, none)) throw InputError(options_.resume, "is no folder, expected one with checkpoints; --checkpoints begins one");
      return;
    }
    std::filesystem::create_directories(options_.checkpoints);
    if (!ranks_.is_first()) return;
    for (const auto& entry : std::filesystem::directory_iterator(options_.checkpoints))
      if (entry.path().extension() == ".npz") throw UsageError(options_.checkpoints, "holds checkpoints already, expected --resume, or another folder");
  }

  // A job that may be stopped before its first checkpoint is begun by the same command each time.
  Warnings resume_warnings() const {
    if (options_.resume.empty()) return {};
    for (const auto& entry : std::filesystem::directory_iterator(options_.resume))
      if (entry.path().extension() == ".npz") return {};
    return {fmt::format("[{}] holds no checkpoint yet: training begins anew", options_.resume)};
  }

  // Before any work.
  void check() const {
    if (float_.epochs > 0) qat::check(float_);
    if (ranks_.is_first()) {
      if (quantizes_) check_quantized_output(options_.output, options_.file);
      else check_written({options_.output});
      check_written({options_.log, options_.page});
    }
    expect_alike();
    if (!quantizes_) return;
    if (options_.no_labels && float_.epochs > 0) throw UsageError("--no-labels", "float epochs learn from labels, expected --float-epochs 0");
    for (const quant::Recipe& recipe : stages_) qat::check_finetuning(recipe, *quantized_);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      qat::TrainOptions stage = quantized_->training;
      stage.epochs = epochs_of_stage(i);
      qat::check(stage);
      if (options_.batch_norm_epochs > stage.epochs)
        throw UsageError("--batch-norm-epochs",
                         fmt::format("got {}, expected 0 to the {} of {}", options_.batch_norm_epochs, stage.epochs, stages_.size() > 1 ? "each stage" : "--epochs"));
    }
    const ir::Graph network = ptq::float_network(subject_.model.graph, recipe_);
    refuse_islands(quant::preflight(network, recipe_).islands, options_.model, /*can_stay=*/false);
    qat::check_finetuning({network, network, quant::Parameters{}, subject_.examples, subject_.held_out, subject_.test, ranks_}, *quantized_);
  }

  // Ranks that are told different things would train neither.
  void expect_alike() const {
    if (ranks_.size() == 1) return;
    qat::Identity told = identity_of(options_, subject_.all, quantizes_ ? &recipe_ : nullptr, ranks_.size());
    told["network"] = quant::digest_of(subject_.model.graph);
    told["--checkpoints"] = options_.folder().empty() ? "no" : "yes";
    told["--resume"] = options_.resume.empty() ? "no" : "yes";
    told["--test-accuracy"] = options_.test_accuracy ? "yes" : "no";
    ranks_.expect_alike(told);
  }

  qat::Hooks hooks(const std::string& file) {
    qat::Hooks made{.epochs_before = phase_.before};
    made.progress = [this](const qat::TrainProgress& now) { output_.tell(now); };
    if (options_.folder().empty()) return made;
    made.stop = [this] { return signals_->asked(); };
    made.keeping = qat::Keeping{.file = std::filesystem::path(options_.folder()) / file, .seconds = 60.0 * options_.checkpoint_minutes, .resumes = !options_.resume.empty(),
                                .identity = identity_of(options_, subject_.all, quantizes_ ? &recipe_ : nullptr, ranks_.size())};
    made.resumed = [this](const std::vector<qat::EpochReport>& over) { output_.begin(phase_, over); };
    return made;
  }

  void begin(bool quantized, int before) {
    phase_ = {.quantized = quantized, .before = before, .all = float_.epochs + (quantizes_ ? options_.epochs : 0), .recipe = quantized ? quant::describe(recipe_) : ""};
    output_.begin(phase_);
  }

  void train_in_float() {
    begin(/*quantized=*/false, 0);
    const qat::TrainTask task{subject_.model.graph, subject_.examples, subject_.held_out, subject_.test, ranks_};
    qat::Hooks told = hooks(kFloatFile);
    if (told.keeping) told.keeping->identity["network"] = quant::digest_of(subject_.model.graph);
    qat::Trained made = qat::train(task, float_, told, [&](const ir::Graph& best) {
      if (keeps_best()) write_float(best, (std::filesystem::path(options_.folder()) / "best.float.onnx").string());
    });
    subject_.model.graph = std::move(made.graph);
  }

  void train_quantized() {
    const ir::Graph teacher = ptq::float_network(subject_.model.graph, quant::Recipe{});
    ir::Graph learnt;  // by the stage before
    int before = float_.epochs;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      quantized_->training.epochs = epochs_of_stage(i);
      begin(/*quantized=*/true, before);
      before += quantized_->training.epochs;
      const bool is_last = i + 1 == stages_.size();
      const qat::Finetuned made = train_stage(stages_[i], teacher, learnt, is_last ? kQuantizedFile : fmt::format("quantized.{}.npz", i + 1));
      if (is_last && ranks_.is_first()) write_integers(made, options_.output, options_.file);
      learnt = made.network;
    }
  }

  int epochs_of_stage(std::size_t i) const {
    const auto count = static_cast<int>(stages_.size());
    const int each = options_.epochs / count;
    return i + 1 == stages_.size() ? options_.epochs - each * (count - 1) : each;
  }

  qat::Finetuned train_stage(const quant::Recipe& recipe, const ir::Graph& teacher, const ir::Graph& learnt, const std::string& file) {
    const calibration::Samples few = calibration::sample(subject_.seen, kStartSamples);
    ir::Graph network = ptq::float_network(subject_.model.graph, recipe);
    take_constants(learnt, network);
    const ptq::Result start =
        ptq::quantize({.model = subject_.model.graph, .recipe = recipe, .runs = runs_for(few, options_.data), .name = options_.model, .network = std::move(network)});
    qat::Hooks told = hooks(file);
    if (told.keeping) told.keeping->identity["network"] = quant::digest_of(start.network);
    const qat::FinetuneTask task{teacher, start.network, start.parameters, subject_.examples, subject_.held_out, subject_.test, ranks_};
    return qat::finetune(task, *quantized_, told, [&](const qat::Finetuned& best) {
      if (keeps_best() && file == kQuantizedFile) write_integers(best, (std::filesystem::path(options_.folder()) / "best.onnx").string(), FileSettings{});
    });
  }

  // Weights and biases that another stage has learnt, by their names.
  static void take_constants(const ir::Graph& from, ir::Graph& to) {
    for (ir::Value& value : to.values) {
      if (!value.constant) continue;
      const auto found = from.find(value.name);
      const Tensor* learnt = found ? from.constant(*found) : nullptr;
      if (learnt != nullptr && learnt->dtype() == value.constant->dtype() && learnt->shape() == value.constant->shape()) value.constant = *learnt;
    }
  }

  bool keeps_best() const { return !options_.folder().empty() && ranks_.is_first(); }

  void write_float(ir::Graph graph, const std::string& path) const {
    if (!ranks_.is_first()) return;
    keep_label_offset(graph.metadata, subject_.all);
    graph.metadata[data::kPreprocessingKey] = data::encode(subject_.all.preprocessing);
    onnx_io::save_model(graph, path);
  }

  void write_integers(const qat::Finetuned& made, const std::string& path, const FileSettings& file) const {
    ptq::Integers integers = ptq::integers_of(made.network, made.parameters, recipe_, options_.model);
    ir::Graph& graph = integers.quantized.graph;
    keep_label_offset(graph.metadata, subject_.all);
    graph.metadata[data::kPreprocessingKey] = data::encode(subject_.all.preprocessing);
    NewFiles files;
    write_quantized(graph, recipe_, options_.data, file, path, files);
    files.publish();
  }

  void print_result() const {
    const qat::EpochReport& last = output_.last();
    const Preparation prepared{subject_.all.preprocessing, subject_.all.prepared_by};
    if (options_.json) return print_json(to_json(last, prepared));
    if (quantizes_) {
      print_line("{} -> {}: {}, trained in {:.0f} s", options_.model, options_.output, quant::describe(recipe_), output_.seconds());
      return;
    }
    print_line("{}: trained on {} samples of {} in {:.1f} s, training accuracy {:.2f} %", options_.output, subject_.seen.size(), subject_.all.name, output_.seconds(), 100.0 * last.accuracy);
    print_line("{}", describe(prepared));
  }

  // For a network that has learnt nothing.
  Warnings warnings() const {
    const double chance = subject_.all.classes > 0 ? 1.0 / subject_.all.classes : 0.0;
    if (options_.no_labels || output_.last().accuracy > 1.5 * chance) return {};
    return {fmt::format("training accuracy {:.2f} % is that of chance: a lower learning rate, or other pixels, may help", 100.0 * output_.last().accuracy)};
  }

  nlohmann::json to_json(const qat::EpochReport& last, const Preparation& prepared) const {
    nlohmann::json out{{"model", options_.model},
                       {"data", subject_.all.name},
                       {"samples", subject_.seen.size()},
                       {"preparation", cli::to_json(prepared)},
                       {"epochs", options_.epochs},
                       {"seed", options_.seed},
                       {"batch_size", options_.batch_size},
                       {"learning_rate", quantizes_ ? quantized_->training.learning_rate : float_.learning_rate},
                       {"threads", std::max(1, options_.data.threads)},
                       {"training_loss", last.loss},
                       {"training_accuracy", 100.0 * last.accuracy},
                       {"seconds", output_.seconds()},
                       {"output", options_.output}};
    if (quantizes_) out["recipe"] = quant::describe(recipe_);
    if (quantizes_) out["quantizer"] = options_.quantizer;
    if (last.held_out) out["held_out_accuracy"] = 100.0 * *last.held_out;
    if (last.held_out_loss) out["held_out_loss"] = *last.held_out_loss;
    if (last.test) out["test_accuracy"] = 100.0 * *last.test;
    return out;
  }

  static constexpr const char* kFloatFile = "float.npz";
  static constexpr const char* kQuantizedFile = "quantized.npz";

  const TrainingOptions& options_;
  bool quantizes_;
  qat::Ranks ranks_;
  Subject subject_;
  TrainingOutput output_;
  std::vector<quant::Recipe> stages_;
  quant::Recipe recipe_;  // of the last
  qat::TrainOptions float_;
  std::unique_ptr<qat::FinetuneOptions> quantized_;
  std::optional<HeldSignals> signals_;
  Phase phase_;
};

}  // namespace

void add_training(Command command, bool finetunes, Run& run) {
  auto options = std::make_shared<TrainingOptions>();
  options->finetunes = finetunes;
  options->file.recipe_use = "halftone finetune MODEL --recipe THIS -o OUT trains at the same bits; options of training are not in it";
  options->add_to(command);
  run = [options, command] {
    if (!options->quantizes(command)) options->expect_float_alone(command);
    if (!options->recipe.file.empty()) take_over(options->recipe.file, command, options->data, options->file);
    return Training(*options, options->quantizes(command)).run();
  };
}

}  // namespace halftone::cli
