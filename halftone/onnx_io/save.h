// ONNX files out: standard operators only, nothing private but metadata_props.
#pragma once

#include <filesystem>
#include <string>

#include "halftone/ir/graph.h"

namespace halftone::onnx_io {

// The oldest operator set written, the first with QuantizeLinear along an axis; a newer one where the graph
// needs it.
inline constexpr std::int64_t kOpset = 13;

// The graph as a serialized ModelProto. Equal graphs give equal bytes.
std::string serialize_model(const ir::Graph& graph);

// Writes the file whole or not at all. Throws SystemError.
void save_model(const ir::Graph& graph, const std::filesystem::path& path);

}  // namespace halftone::onnx_io
