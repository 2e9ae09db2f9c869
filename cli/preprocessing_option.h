// --preset, or --mean, --std and --scale: how pixels become numbers.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/model_file.h"
#include "halftone/data/preprocessing.h"

namespace halftone::cli {

struct PreprocessingOption {
  std::string preset;
  std::string mean;  // as written: "0.485,0.456,0.406"
  std::string std;
  std::string scale;

  void add_to(CLI::App& command);
  bool given() const { return !preset.empty() || !mean.empty() || !std.empty() || !scale.empty(); }
  // What was asked for, else what the file says, else the data set's usual one. Throws UsageError for numbers
  // that make no sense.
  data::Preprocessing choose(const ModelFile& model, const std::string& dataset_name) const;
};

}  // namespace halftone::cli
