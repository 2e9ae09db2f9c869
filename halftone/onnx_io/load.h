// ONNX files in. Source: the ONNX IR and operator specifications (github.com/onnx/onnx, docs/IR.md,
// Operators.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::onnx_io {

// Oldest and newest operator set that is read.
inline constexpr std::int64_t kMinOpset = 7;
inline constexpr std::int64_t kMaxOpset = 25;

// The name that files of ours give as their producer, and the metadata that keeps the one before: "pytorch 1.13.1".
inline constexpr const char* kProducer = "halftone";
inline constexpr const char* kSourceKey = "halftone.source";

// Input name -> shape, for what the file leaves open. kDynamic in the first place leaves the batch free.
using InputShapes = std::map<std::string, Shape>;

// Reads a model, checks it, and infers every shape. Weights listed as graph inputs are weights; Constant
// nodes become constants; a first dimension that is not fixed becomes the symbolic batch. Throws InputError
// (exit code 3) for a damaged file, UnsupportedError naming every node whose operator is not read, before
// anything else is done, and UsageError for `shapes` that do not belong to the inputs. Data in other files is
// read when the model is a file too, from its folder.
ir::Graph load_model(const std::filesystem::path& path, const InputShapes& shapes = {});

struct LoadedModel {
  ir::Graph graph;
  std::int64_t parameter_bytes = 0;  // of the file's constants that the graph's are made of, packed as the file's types are
};
LoadedModel load_model_and_size(const std::filesystem::path& path, const InputShapes& shapes = {});

ir::Graph parse_model(std::span<const std::byte> bytes, std::string_view where,
                      const InputShapes& shapes = {});

// A node whose operator is not read: "com.microsoft.Attention", "encoder/attention".
struct UnsupportedNode {
  std::string op;
  std::string name;    // its first output's when it has none
  std::string domain;  // empty: ONNX's own
};

// All of them, known from the names of the operators alone. Throws InputError for a damaged file.
std::vector<UnsupportedNode> unsupported_nodes(const std::filesystem::path& path);

}  // namespace halftone::onnx_io
