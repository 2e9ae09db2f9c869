// The program behind `halftone train` and `halftone finetune`: apart from the others, so that no other command loads libtorch.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/command_line.h"
#include "cli/finetune.h"
#include "cli/model_file.h"
#include "cli/outcome.h"
#include "cli/preprocessing_option.h"
#include "halftone/base/error.h"
#include "halftone/data/load.h"
#include "halftone/models/build.h"
#include "halftone/onnx_io/save.h"
#include "halftone/qat/train.h"
#include "halftone/report/progress.h"

namespace halftone::cli {
namespace {

constexpr const char* kProgram = "halftone train";
constexpr const char* kFinetune = "halftone finetune";

struct Request {
  std::string model;
  std::string data;
  PreprocessingOption preprocessing;
  std::string output;
  bool json = false;
  qat::TrainOptions training;
};

void add_options(Command app, Request& request) {
  qat::TrainOptions& training = request.training;
  app.add_option("model", request.model,
                 fmt::format("{}, or an ONNX file to train further", fmt::join(models::names(), ", ")))
      .required();
  app.add_option("--data", request.data,
                 fmt::format("{}, a directory or an .npz with x and y; add :train or :test to choose a part "
                             "(otherwise train)",
                             fmt::join(data::dataset_names(), ", ")))
      .required();
  app.add_option("-o,--output", request.output, "The ONNX file to write").required();
  app.add_option("--epochs", training.epochs, "How often every sample is seen").show_default();
  app.add_option("--seed", training.seed, "Decides the first weights and the order of the samples")
      .show_default();
  app.add_option("--batch-size", training.batch_size, "Samples a step").show_default();
  app.add_option("--learning-rate", training.learning_rate, "Of the first step; it falls to 0 by the last")
      .show_default();
  app.add_option(
         "--threads", training.threads,
         "Threads to use; small networks train fastest on one, and the same bytes need the same number")
      .within(1, 1024)
      .show_default();
  request.preprocessing.add_to(app);
  app.add_flag("--json", request.json, "Print the result as JSON");
  app.footer("Example: halftone train mlp --data mnist --epochs 10 --seed 1 -o mlp.onnx");
}

ModelFile make_model(const Request& request, int classes) {
  const std::vector<std::string> names = models::names();
  if (std::ranges::count(names, request.model) > 0)
    return {.path = request.model,
            .graph = models::build(request.model, request.training.seed, {.classes = classes})};
  const std::filesystem::path path(request.model);
  if (!path.has_parent_path() && !path.has_extension() && !std::filesystem::exists(path))
    throw UsageError("model",
                     fmt::format("neither a network nor a file, got '{}', expected {} or an ONNX file",
                                 request.model, fmt::join(names, ", ")));
  ModelFile model = load_model_file(request.model);
  if (model.graph.inputs.size() != 1)
    throw UnsupportedError(request.model,
                           fmt::format("{} inputs, expected 1 for training", model.graph.inputs.size()));
  return model;
}

std::string describe(const qat::EpochReport& report) {
  return fmt::format("epoch {}/{}  loss {:.4f}  accuracy {:.2f} %", report.epoch, report.epochs, report.loss,
                     100.0 * report.accuracy);
}

qat::EpochReport train(const Request& request, const Tensor& images, std::span<const std::int32_t> labels,
                       ir::Graph& graph) {
  report::Progress progress(std::cerr, report::stderr_options());
  qat::EpochReport last;
  graph = qat::train(graph, images, labels, request.training, [&](const qat::TrainProgress& now) {
    last = now.report;
    progress.update(now.fraction, describe(last));
    if (now.epoch_ended) progress.line(describe(last));
  });
  return last;
}

void print_result(const Request& request, const Preparation& prepared, std::int64_t samples, const qat::EpochReport& last) {
  if (!request.json) {
    print_line("{}: trained on {} samples of {} in {:.1f} s, training accuracy {:.2f} %", request.output,
               samples, request.data, last.seconds, 100.0 * last.accuracy);
    print_line("{}", describe(prepared));
    return;
  }
  const nlohmann::json out{{"model", request.model},
                           {"data", request.data},
                           {"samples", samples},
                           {"preparation", to_json(prepared)},
                           {"epochs", request.training.epochs},
                           {"seed", request.training.seed},
                           {"batch_size", request.training.batch_size},
                           {"learning_rate", request.training.learning_rate},
                           {"threads", request.training.threads},
                           {"training_loss", last.loss},
                           {"training_accuracy", 100.0 * last.accuracy},
                           {"seconds", last.seconds},
                           {"output", request.output}};
  print_json(out);
}

// As a model's file says for its classes: its outputs keep their meaning.
std::vector<std::int32_t> moved_labels(const data::Dataset& dataset, std::int64_t offset) {
  std::vector<std::int32_t> labels;
  for (std::int32_t label : dataset.labels) {
    if (label + offset < 0)
      throw InputError(dataset.name, fmt::format("label {} with {} added, expected 0 or more", label, offset));
    labels.push_back(static_cast<std::int32_t>(label + offset));
  }
  return labels;
}

int train_and_save(const Request& request) {
  check_written({request.output});
  const data::Dataset dataset = data::load(request.data, data::Part::train);
  ModelFile model = make_model(request, dataset.classes);
  const Preparation prepared = request.preprocessing.choose({&model}, dataset.name);
  const Tensor images = data::apply(prepared.preprocessing, dataset.images);
  const std::vector<std::int32_t> labels = moved_labels(dataset, model.label_offset.value_or(0));
  const qat::EpochReport last = train(request, images, labels, model.graph);
  model.graph.metadata[data::kPreprocessingKey] = data::encode(prepared.preprocessing);
  onnx_io::save_model(model.graph, request.output);
  print_result(request, prepared, dataset.size(), last);
  return kYes;
}

}  // namespace

int run_training_program(int argc, char** argv) {
  const bool finetunes = std::string_view(argv[0]) == kFinetune;
  const Program program{.name = finetunes ? kFinetune : kProgram,
                        .about = finetunes ? "Trains a float network at the integers that it will run in, and writes these as an ONNX file."
                                           : "Trains a network in float and writes it as an ONNX file."};
  Request request;
  return guarded(program.name, [&] {
    return run(program, argc, argv, [&](Command command, Run& chosen) {
      if (finetunes) return add_finetune(command, chosen);
      add_options(command, request);
      chosen = [&] { return train_and_save(request); };
    });
  });
}

}  // namespace halftone::cli

int main(int argc, char** argv) { return halftone::cli::run_training_program(argc, argv); }
