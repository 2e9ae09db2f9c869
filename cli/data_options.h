// The options of every command that runs a model over samples.
#pragma once

#include "cli/command_line.h"
#include <optional>
#include <string>

#include "cli/model_file.h"
#include "cli/preprocessing_option.h"
#include "halftone/calibration/batches.h"
#include "halftone/data/array_set.h"
#include "halftone/data/load.h"
#include "halftone/report/progress.h"

namespace halftone::cli {

// Random numbers in the shape of the inputs of whichever model takes them.
struct Noise {
  std::int64_t rows = 0;
  std::uint64_t seed = 0;
};

// The contents of --data or --images, until a model takes it: a labelled set of images, arrays by name, or noise.
struct DataSource {
  std::string name;
  std::optional<data::Dataset> dataset;
  std::optional<data::ArraySet> arrays;
  std::optional<Noise> noise;

  // Counts all samples; pictures that were left out when reading do not count.
  std::int64_t rows(const ModelFile& model) const;
};

inline constexpr std::int64_t kNoiseRows = 32;

// Whether `spec` (random, random:train or random:test) asks for noise.
bool is_noise(const std::string& spec);

// A set by name or directory, an .npz or an .npy file, or so many rows of noise, others for each part.
DataSource open_data(const std::string& spec, data::Part default_part, std::int64_t noise_rows = kNoiseRows);

enum class Labels {
  ignored,
  welcome,  // where the source has some that fit
  wanted,   // likewise, and some that do not fit are an error
};

// The source's rows as the model's samples, with labels where it has any. Throws InputError when they do not fit its
// inputs.
calibration::Samples samples_from(const DataSource& source, const ModelFile& model, Labels labels);

struct DataOptions {
  std::string data;
  std::string images;
  std::string labels;
  std::optional<std::int64_t> label_offset;
  std::int64_t resize = 0;  // 0: the usual short side
  std::string crop = "on";
  std::string samples_name = "--samples";
  std::string threads_text = "Threads to use (otherwise all cores)";
  std::optional<std::int64_t> samples;  // as asked for
  std::int64_t usual_samples = 0;       // otherwise, but of noise; 0: all
  bool guesses_preset = false;  // pictures need none
  bool may_be_missing = false;  // neither --data nor --images is an error of its own
  bool finds_nan = false;       // the command looks for NaN in samples itself: `take` leaves that to it
  PreprocessingOption preprocessing;
  int threads = 0;  // 0: all cores

  // `samples_text` says what --samples is for and its default.
  void add_to(Command command, data::Part default_part, const std::string& samples_text);
  bool given() const { return !data.empty() || !images.empty(); }
  bool is_noise() const { return images.empty() && cli::is_noise(data); }
  std::int64_t sample_count() const;  // 0: all
  // Pictures in the size of the first input [N, C, H, W] of `model`.
  DataSource open(data::Part default_part, const ModelFile& model) const;
  // Throws UsageError for options that say how pictures are read, where there are none.
  void expect_no_image_options() const;
  // The rows asked for, at even spacing through the source, prepared alike for all of `table`, the models that are
  // shown side by side (empty: `model` alone). Throws UsageError for pictures whose preparation nobody names.
  calibration::Samples take(const DataSource& source, const ModelFile& model, Labels labels = Labels::ignored,
                         const std::vector<const ModelFile*>& table = {}) const;
  int thread_count() const;

 private:
  void prepare(calibration::Samples& samples, const std::vector<const ModelFile*>& models) const;
};

// Keeps the samples' label offset in a model's metadata, where there is one.
void keep_label_offset(std::map<std::string, std::string>& metadata, const calibration::Samples& samples);

// Batches of up to 64 samples, fewer of large ones, unless the model has its own.
calibration::BatchOptions batches_of(const calibration::Samples& samples, int threads);

// Runs `work(options for its batches)` under a progress line headed `title`.
void with_progress(const DataOptions& data, const calibration::Samples& samples, const std::string& title,
                   const std::function<void(const calibration::BatchOptions&)>& work);

}  // namespace halftone::cli
