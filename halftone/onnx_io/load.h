// ONNX files in. Source: the ONNX IR and operator specifications (github.com/onnx/onnx, docs/IR.md,
// Operators.md).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "halftone/ir/graph.h"

namespace halftone::onnx_io {

// Oldest and newest operator set that is read.
inline constexpr std::int64_t kMinOpset = 7;
inline constexpr std::int64_t kMaxOpset = 25;

// Reads a model, checks it, and infers every shape. Weights listed as graph inputs are weights; Constant
// nodes become constants; a first dimension that is not fixed becomes the symbolic batch. Throws InputError
// (exit code 3) for a damaged file, UnsupportedError naming every node whose operator is not read, before
// anything else is done.
ir::Graph load_model(const std::filesystem::path& path);
ir::Graph parse_model(std::span<const std::byte> bytes, std::string_view where);

}  // namespace halftone::onnx_io
