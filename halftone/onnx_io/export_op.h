// The exporters: one small function an op, the counterpart of the importers' table.
#pragma once

#include <onnx/onnx_pb.h>

#include "halftone/ir/op.h"

namespace halftone::onnx_io {

// Writes op type and attributes. Inputs that the importer made part of the op become initializers of `graph`,
// named after the node, and are added to the node's inputs (which hold the graph's already).
void export_op(const ir::Op& op, onnx::NodeProto& node, onnx::GraphProto& graph);

}  // namespace halftone::onnx_io
