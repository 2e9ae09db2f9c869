// The importers: a table from ONNX operator name to a small function.
#pragma once

#include <string_view>

#include "halftone/ir/op.h"
#include "halftone/onnx_io/external_data.h"
#include "halftone/onnx_io/node_reader.h"

namespace halftone::onnx_io {

// Makes the op from attributes and constant inputs; may drop inputs that became part of it.
using Importer = ir::Op (*)(NodeReader& node);

// `op_type` has its domain before it, with a dot, when that is not ONNX's own. nullptr when the operator is
// not read.
Importer find_importer(std::string_view op_type);

// The value of a Constant node, taken out of it. Throws UnsupportedError for text and sparse tensors.
Tensor constant_of(onnx::NodeProto& node, ExternalData& files);

}  // namespace halftone::onnx_io
