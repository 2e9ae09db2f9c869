// The options of every command that runs a model over a data set.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/model_file.h"
#include "halftone/analysis/batches.h"
#include "halftone/data/load.h"
#include "halftone/report/progress.h"

namespace halftone::cli {

struct DataOptions {
  std::string data;
  std::string images;
  std::string labels;
  std::int64_t label_offset = 0;
  std::string samples_name = "--samples";
  std::int64_t samples = 0;  // 0: all
  std::string preset;
  int threads = 0;  // 0: all cores

  // `samples_text` says what --samples is for and its default.
  void add_to(CLI::App& command, data::Part default_part, const std::string& samples_text);
  // The rows asked for, at even spacing through the set; pictures in the size of the input [N, C, H, W].
  data::Dataset load(data::Part default_part, const Shape& input) const;
  int thread_count() const;
};

// What was asked for, else what the file says, else the data set's usual one. Throws UsageError for pictures
// whose preparation nobody names.
data::Preprocessing choose_preprocessing(const ModelFile& model, const DataOptions& options,
                                         const std::string& dataset_name);

// Runs `work(options for its batches)` under a progress line headed `title`; batches of `batch_size` unless
// the model has its own.
void with_progress(const DataOptions& data, const ModelFile& model, std::int64_t batch_size,
                   const std::string& title, const std::function<void(const analysis::BatchOptions&)>& work);

}  // namespace halftone::cli
