// The last steps from a float network to an integer file: shared by the commands that write one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/data_options.h"
#include "cli/recipe_options.h"
#include "halftone/qgraph/quantized_graph.h"
#include "halftone/quant/islands.h"
#include "halftone/quant/parameters.h"
#include "halftone/quant/quantize.h"

namespace halftone::cli {

// Throws UnsupportedError naming every node that would stay float between integers.
void refuse_islands(const std::vector<quant::Island>& islands, const std::string& model);

// Parameters as the recipe's methods have them, which run under a progress line headed `title`; `graph` is what
// float_graph.h made of `model`.
quant::Parameters parameters_of(const ir::Graph& model, const ir::Graph& graph, const quant::RangeTable& ranges,
                                const quant::Recipe& recipe, const analysis::Samples& samples,
                                const DataOptions& data, const std::string& title = "choosing weights");

struct QuantizedModel {
  quant::Quantized quantized;
  qgraph::QuantizedGraph integers;
  std::vector<quant::Island> islands;
};

// Throws UnsupportedError for a network without anything to quantize, or with nodes that `may_stay_float`
// does not allow.
QuantizedModel quantized_model(const std::string& model, const ir::Graph& graph,
                               const quant::Parameters& parameters, const quant::Recipe& recipe,
                               bool may_stay_float);

// Where the full recipe of a quantized file goes: out.recipe.toml for out.onnx; nowhere for a pipe.
std::optional<std::filesystem::path> recipe_beside(const std::string& output);

// As check_written, for a quantized file with the recipe beside it, and `others`.
void check_quantized_output(const std::string& output, std::vector<std::string> others, const std::vector<std::string>& read);

// Throws UnsupportedError for a network that has no form in the file format: before any work.
void check_format(const ir::Graph& graph, const quant::Recipe& recipe, const std::string& format);

// The file in the format that the settings say, and its recipe beside it; returns the file's bytes.
std::uint64_t write_quantized(const ir::Graph& quantized, const quant::Recipe& recipe,
                              const DataOptions& data, const FileSettings& file, const std::string& output);

}  // namespace halftone::cli
