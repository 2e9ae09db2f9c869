// The pre-flight of a model file, and how it is shown.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "halftone/analysis/preflight.h"
#include "halftone/onnx_io/load.h"

namespace halftone::cli {

// Throws InputError when the file is damaged.
analysis::Checked check_model(const std::string& path, const onnx_io::InputShapes& shapes);

nlohmann::json to_json(const std::string& model, const analysis::Checked& checked);
// One line a kind of finding, and a line that sums up.
void print_check(const std::string& model, const analysis::Checked& checked);

}  // namespace halftone::cli
