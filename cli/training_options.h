// The options of `halftone train` and `halftone finetune`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/data_options.h"
#include "cli/recipe_options.h"
#include "halftone/qat/finetune.h"

namespace halftone::cli {

// Whatever the command line says; what it does not say differs between the commands and between float and quantized epochs.
struct TrainingOptions {
  bool finetunes = false;
  std::string model;
  std::string output;
  DataOptions data;
  RecipeOptions recipe;
  FileSettings file;

  int epochs = 10;
  std::optional<int> float_epochs;
  std::uint64_t seed = 1;
  std::int64_t batch_size = 32;
  std::optional<double> learning_rate;
  std::optional<double> float_learning_rate;
  double step_rate = 1e-3;
  std::optional<double> label_weight;
  std::optional<double> label_smoothing;
  std::optional<double> weight_decay;
  std::string optimizer;  // empty: as the epochs have it
  double momentum = 0.9;
  std::string schedule = "cosine";
  double warmup_epochs = 0;
  double average = 0;
  int patience = 0;
  std::string augment = "auto";
  std::string quantizer = "lsq";
  std::string weight_noise = "none";
  double freeze = 0;
  int batch_norm_epochs = 0;
  bool no_labels = false;
  std::string through;  // bits of stages before the last

  std::int64_t held_out = 0;
  bool test_accuracy = false;
  std::string log;
  std::string page;
  std::string checkpoints;
  std::string resume;
  double checkpoint_minutes = 10;
  int rank_timeout = 300;
  bool json = false;

  void add_to(Command command);
  // Whether there are quantized epochs (`command` knows what was given).
  bool quantizes(Command command) const { return finetunes || command.was_given("--bits") || command.was_given("--recipe"); }

  // `images`: by which augmentation is chosen where nothing is said.
  qat::TrainOptions float_training(bool quantizes, const Tensor& images) const;
  qat::FinetuneOptions quantized_training(const Tensor& images) const;
  // The recipe of each stage, with what trains best, or what the quantizer needs, where nothing is said; the last is what is written.
  std::vector<quant::Recipe> stages() const;
  // Throws UsageError for an option that float training does not look at.
  void expect_float_alone(Command command) const;
  // The folder of checkpoints; empty: none.
  const std::string& folder() const { return resume.empty() ? checkpoints : resume; }

 private:
  void add_training_to(Command command);
  void add_quantized_to(Command command);
  void add_keeping_to(Command command);
  quant::Recipe recipe_at(const std::string& bits) const;
  void set_common(qat::TrainOptions& training, const Tensor& images) const;
};

}  // namespace halftone::cli
