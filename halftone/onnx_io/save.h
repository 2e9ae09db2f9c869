// ONNX files out: standard operators only, nothing private but metadata_props.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "halftone/base/new_files.h"
#include "halftone/ir/graph.h"

namespace halftone::onnx_io {

// The oldest operator set written, the first with QuantizeLinear along an axis; a newer one where the graph
// needs it.
inline constexpr std::int64_t kOpset = 13;

// protobuf holds no message of 2^31 bytes. This many bytes of weights leave room for the rest of a model.
inline constexpr std::uint64_t kMaxWeightBytesInside = 2'000'000'000;

// The graph as a serialized ModelProto. Equal graphs give equal bytes. Throws UnsupportedError for weights
// that need a file of their own.
std::string serialize_model(const ir::Graph& graph);

// Writes the file whole or not at all. Weights of more than `max_weight_bytes` in all go to `<path>.data`
// beside it (ONNX external data, 64-byte aligned), but for small ones; both files are complete on the disk
// before either gets its name. Returns the bytes written. Throws SystemError.
std::uint64_t save_model(const ir::Graph& graph, const std::filesystem::path& path,
                         std::uint64_t max_weight_bytes = kMaxWeightBytesInside);

struct Saved {
  std::uint64_t bytes = 0;  // of all files
  std::string digest;       // of the model's file, base/digest.h
};
// The same as one part of a larger result, which `files` publishes.
Saved save_model(const ir::Graph& graph, const std::filesystem::path& path, NewFiles& files,
                 std::uint64_t max_weight_bytes = kMaxWeightBytesInside);

}  // namespace halftone::onnx_io
