// The options of every command that runs a model over a data set.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "halftone/analysis/batches.h"
#include "halftone/data/load.h"
#include "halftone/report/progress.h"

namespace halftone::cli {

struct DataOptions {
  std::string data;
  std::int64_t samples = 0;  // 0: all
  std::string preset;
  int threads = 0;  // 0: all cores

  // `samples_text` says what --samples is for and its default.
  void add_to(CLI::App& command, data::Part default_part, const std::string& samples_text);
  // The rows asked for, at even spacing through the set.
  data::Dataset load(data::Part default_part) const;
  int thread_count() const;
};

// Runs `work(options for its batches)` under a progress line headed `title`.
void with_progress(const DataOptions& data, std::int64_t batch_size, const std::string& title,
                   const std::function<void(const analysis::BatchOptions&)>& work);

}  // namespace halftone::cli
