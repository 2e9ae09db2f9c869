// `export --testbench`: a folder with every integer of a network, for those who build hardware of it.
#pragma once

#include <string>

#include "cli/data_options.h"
#include "cli/model_file.h"

namespace halftone::cli {

inline constexpr std::int64_t kMostTestbenchBytes = std::int64_t{1} << 31;

// Writes the folder, whole or not at all, and prints a summary. `data` has been given. Throws UsageError for samples that take more
// than kMostTestbenchBytes, and for a folder with other files in it.
int export_testbench(const std::string& folder, const std::string& model, const onnx_io::InputShapes& shapes, const DataOptions& data, bool json);

}  // namespace halftone::cli
