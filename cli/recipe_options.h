// How to quantize: options for the common cases, or a recipe file for all of them.
#pragma once

#include "cli/command_line.h"
#include <optional>
#include <string>
#include <vector>

#include "cli/data_options.h"
#include "cli/shape_option.h"
#include "halftone/quant/recipe.h"

namespace halftone::cli {

struct RecipeOptions {
  std::string file;
  std::string bits = "w8a8";
  std::string first_last;
  std::optional<int> output_bits;
  std::optional<int> sum_bits;
  std::string granularity = "channel";
  std::string observer;         // empty: as the bits have it
  std::string weight_observer;  // likewise
  std::string codebook;
  std::vector<std::string> keep_float;  // names or patterns of layers
  std::vector<std::string> only;        // likewise: all others stay float
  std::string arithmetic = "fixed";
  std::optional<int> mantissa_bits;
  std::string rounding = "half_even";
  int bias_bits = numeric::kWholeBias;
  bool symmetric = false;
  bool asymmetric = false;
  bool full_range = false;
  bool power_of_two = false;
  bool dynamic = false;
  bool adaround = false;
  int adaround_steps = 2000;
  bool error_feedback = false;
  bool nearest = false;
  bool absorb_biases = false;
  double svd = 0.0;
  std::string correct_bias;  // empty: as the bits have it
  bool equalize = false;
  std::string smooth = "0";  // alpha

  void add_to(Command command);
  // Options that are not given are as docs/accuracy.md's table of methods shows to pay: with fewer than 8 bits somewhere and activations in
  // integers, ranges of least squared error, error feedback, corrected biases and outputs of 8 bits. `few_bits`: layers will
  // get those later. Throws UsageError, and InputError for a file that is no recipe.
  quant::Recipe recipe(bool few_bits = false) const;
};

// The rest of what decides a quantized file, which a recipe file keeps too.
struct FileSettings {
  std::string format = "qdq";
  bool allow_float = false;
  ShapeOption shapes;
  std::vector<std::string> ranges;  // files of `calibrate`, instead of calibrating
  std::string recipe_output;        // empty: beside the quantized file. No part of the recipe file
  std::string recipe_use = "halftone quantize MODEL --recipe THIS -o OUT makes the same file again";  // as its first line says

  void add_recipe_output_to(Command command);
};

// A complete recipe file: the recipe, the samples and the settings, and the digest of the model that they made.
std::string recipe_file(const quant::Recipe& recipe, const DataOptions& data, const FileSettings& settings,
                        const std::string& model_digest);

// Takes over what the file says of samples and settings, where the command line says nothing (`command` knows
// what was given). Throws InputError naming the file's line.
void take_over(const std::string& file, Command command, DataOptions& data, FileSettings& settings);

}  // namespace halftone::cli
