#include "halftone/onnx_io/save.h"

#include <onnx/onnx_pb.h>

#include <algorithm>

#include "halftone/base/file.h"
#include "halftone/onnx_io/export_op.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

// The file format version that came with each operator set (onnx/docs/Versioning.md).
std::int64_t ir_version_for(std::int64_t opset) {
  if (opset < 15) return 7;
  if (opset < 19) return 8;
  if (opset < 21) return 9;
  return opset < 24 ? 10 : 11;
}

void add_value_info(const ir::Value& value, onnx::ValueInfoProto& info) {
  info.set_name(value.name);
  auto* type = info.mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx_type_of(value.dtype));
  auto* shape = type->mutable_shape();
  for (std::int64_t dim : value.shape) {
    auto* added = shape->add_dim();
    if (dim == kDynamic)
      added->set_dim_param("N");
    else
      added->set_dim_value(dim);
  }
}

}  // namespace

std::string serialize_model(const ir::Graph& graph) {
  onnx::ModelProto model;
  std::int64_t version = kOpset;
  for (const ir::Node& node : graph.nodes) version = std::max(version, opset_of(graph, node));
  model.set_ir_version(ir_version_for(version));
  model.set_producer_name("halftone");
  onnx::OperatorSetIdProto* opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(version);
  for (const auto& [key, value] : graph.metadata) {
    onnx::StringStringEntryProto* entry = model.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  onnx::GraphProto& out = *model.mutable_graph();
  out.set_name(graph.name.empty() ? "graph" : graph.name);
  for (ir::ValueId id : graph.inputs) add_value_info(graph.value(id), *out.add_input());
  for (ir::ValueId id : graph.outputs) add_value_info(graph.value(id), *out.add_output());
  for (const ir::Value& value : graph.values)
    if (value.constant) to_proto(*value.constant, value.name, *out.add_initializer());
  for (const ir::Node& node : graph.nodes) export_node(graph, node, out);
  return model.SerializeAsString();
}

void save_model(const ir::Graph& graph, const std::filesystem::path& path) {
  write_file(path, serialize_model(graph));
}

}  // namespace halftone::onnx_io
