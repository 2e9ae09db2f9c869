// The exporters: one small function an op, the counterpart of the importers' table.
#pragma once

#include <onnx/onnx_pb.h>

#include "halftone/ir/graph.h"

namespace halftone::onnx_io {

// Adds the node to `out` with its attributes. What the importer made part of an op becomes initializers or
// nodes again, under names that no value of `graph` has.
void export_node(const ir::Graph& graph, const ir::Node& node, onnx::GraphProto& out);

// The oldest operator set that has this op with these attributes and types, at least 13.
std::int64_t opset_of(const ir::Graph& graph, const ir::Node& node);

}  // namespace halftone::onnx_io
