// --preset, or --mean, --std and --scale: how pixels become numbers.
#pragma once

#include "cli/command_line.h"
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/model_file.h"
#include "halftone/data/preprocessing.h"

namespace halftone::cli {

// How pixels are prepared, and who says so: "--preset", the name of a model's file, "usual for mnist".
struct Preparation {
  data::Preprocessing preprocessing;
  std::string from;
};

// "pixels prepared as mnist: p / 255 (--preset)".
std::string describe(const Preparation& preparation);
nlohmann::json to_json(const Preparation& preparation);

struct PreprocessingOption {
  std::string preset;
  std::string mean;  // as written: "0.485,0.456,0.406"
  std::string std;
  std::string scale;
  bool overrides = false;  // what a model's file says

  void add_to(Command command);
  bool given() const { return !preset.empty() || !mean.empty() || !std.empty() || !scale.empty(); }
  // The one preparation for all `models`: what was asked for, else what their files say, else the data set's usual one.
  // Throws UsageError for numbers that make no sense, for models that say different things, and for options that
  // contradict a model unless they are to override it.
  Preparation choose(const std::vector<const ModelFile*>& models, const std::string& dataset_name) const;

 private:
  data::Preprocessing asked() const;
};

}  // namespace halftone::cli
