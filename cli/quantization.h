// The last steps from a float network to an integer file: shared by the commands that write one.
#pragma once

#include <string>
#include <vector>

#include "cli/data_options.h"
#include "cli/recipe_options.h"
#include "halftone/base/new_files.h"
#include "halftone/qgraph/quantized_graph.h"
#include "halftone/quant/islands.h"

namespace halftone::cli {

// Throws UnsupportedError naming every node that would stay float between integers, but those that a rule keeps so; `can_stay`: the
// command has --allow-float.
void refuse_islands(const std::vector<quant::Island>& islands, const std::string& model, bool can_stay = true);

// As check_written, for a quantized file (an empty name: none) and its recipe.
void check_quantized_output(const std::string& output, const FileSettings& file);

// Throws UnsupportedError for a network that has no form in the file format: before any work.
void check_format(const ir::Graph& graph, const quant::Recipe& recipe, const std::string& format);

struct Written {
  std::uint64_t bytes = 0;
  std::int64_t parameter_bytes = 0;  // as the file's format holds them
};

// The file in the format that the settings say, and its recipe, are added to `files`.
Written write_quantized(const ir::Graph& quantized, const quant::Recipe& recipe, const DataOptions& data,
                        const FileSettings& file, const std::string& output, NewFiles& files);

}  // namespace halftone::cli
