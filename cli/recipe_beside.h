// The recipe that stands beside a quantized file: where it is, and whether it is this file's.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/model_file.h"

namespace halftone::cli {

// The key of a recipe's table [file] that holds the digest (base/digest.h) of the model's file. It says what the recipe
// made, and decides nothing.
inline constexpr const char* kModelDigest = "model_digest";

// Where the full recipe of a quantized file goes: out.recipe.toml for out.onnx; nowhere for a pipe.
std::optional<std::filesystem::path> recipe_beside(const std::string& output);

// Whether the recipe beside a quantized model holds its digest: true, false with a warning on standard error, or null
// for a float model and where no recipe says. A digest is 16 hexadecimal digits; any other text says nothing.
nlohmann::json check_recipe_beside(const ModelFile& model);

}  // namespace halftone::cli
