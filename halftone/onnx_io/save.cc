#include "halftone/onnx_io/save.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "halftone/base/digest.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/onnx_io/export_op.h"
#include "halftone/onnx_io/load.h"
#include "halftone/onnx_io/packed.h"
#include "halftone/onnx_io/quantizers.h"
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

// Everything but the constants.
onnx::ModelProto model_around(const ir::Graph& graph) {
  onnx::ModelProto model;
  std::int64_t version = kOpset;
  for (const ir::Node& node : graph.nodes) version = std::max(version, opset_of(graph, node));
  model.set_ir_version(ir_version_for(version));
  model.set_producer_name(kProducer);
  onnx::OperatorSetIdProto* opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(version);
  std::set<std::string_view> domains;
  for (const ir::Node& node : graph.nodes) domains.insert(ir::domain_of(node.op));
  domains.erase("");
  for (std::string_view domain : domains) {
    onnx::OperatorSetIdProto* other = model.add_opset_import();
    other->set_domain(std::string(domain));
    other->set_version(1);
  }
  for (const auto& [key, value] : graph.metadata) {
    onnx::StringStringEntryProto* entry = model.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  onnx::GraphProto& out = *model.mutable_graph();
  out.set_name(graph.name.empty() ? "graph" : graph.name);
  for (ir::ValueId id : graph.inputs) add_value_info(graph.value(id), *out.add_input());
  for (ir::ValueId id : graph.outputs) add_value_info(graph.value(id), *out.add_output());
  return model;
}

// The constants in the order in which nodes first read them, then those that none reads.
std::vector<const ir::Value*> constants_of(const ir::Graph& graph) {
  std::vector<const ir::Value*> result;
  std::vector<bool> listed(graph.values.size(), false);
  const auto list = [&](ir::ValueId id) {
    if (graph.constant(id) == nullptr || listed[static_cast<std::size_t>(id)]) return;
    listed[static_cast<std::size_t>(id)] = true;
    result.push_back(&graph.value(id));
  };
  for (const ir::Node& node : graph.nodes) std::ranges::for_each(node.inputs, list);
  for (std::size_t id = 0; id < graph.values.size(); ++id) list(static_cast<ir::ValueId>(id));
  return result;
}

// The same order for all initializers: some of those that nodes bring along become attributes when the file
// is read, others constants, and the file written again must be the same.
void sort_initializers(onnx::GraphProto& out) {
  std::unordered_map<std::string_view, std::size_t> rank;
  for (const onnx::NodeProto& node : out.node())
    for (const std::string& input : node.input()) rank.emplace(input, rank.size());
  const auto rank_of = [&](const onnx::TensorProto* tensor) {
    const auto found = rank.find(tensor->name());
    return found == rank.end() ? rank.size() : found->second;
  };
  std::stable_sort(out.mutable_initializer()->pointer_begin(), out.mutable_initializer()->pointer_end(),
                   [&](const auto* a, const auto* b) { return rank_of(a) < rank_of(b); });
}

// ONNX lets names of nodes stand twice, ONNX Runtime's optimizer does not. Nodes without a name stay so.
void number_equal_names(onnx::GraphProto& out) {
  std::unordered_set<std::string> used;
  for (const onnx::NodeProto& node : out.node()) used.insert(node.name());
  std::unordered_map<std::string, int> times;
  for (onnx::NodeProto& node : *out.mutable_node()) {
    if (node.name().empty()) continue;
    const auto [next, first] = times.try_emplace(node.name(), 1);
    if (first) continue;
    std::string name;
    do name = fmt::format("{}_{}", node.name(), next->second++);
    while (!used.insert(name).second);
    node.set_name(name);
  }
}

void add_nodes(const ir::Graph& graph, onnx::GraphProto& out) {
  for (const ir::Node& node : graph.nodes) export_node(graph, node, out);
  number_equal_names(out);
  sort_initializers(out);
}

std::string serialize(const onnx::ModelProto& model) {
  if (model.ByteSizeLong() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw UnsupportedError("model", fmt::format("{} bytes in one file, expected at most {}",
                                                model.ByteSizeLong(), std::numeric_limits<int>::max()));
  return model.SerializeAsString();
}

std::string digest_of(const std::string& text) {
  Digest digest;
  digest.add(std::as_bytes(std::span(text)));
  return digest.text();
}

std::uint64_t weight_bytes(const ir::Graph& graph) {
  std::uint64_t bytes = 0;
  for (const ir::Value& value : graph.values)
    if (value.constant) bytes += value.constant->byte_size();
  return bytes;
}

// Small tensors stay in the model, where shape inference finds those that are shapes (ONNX's own limit).
constexpr std::size_t kSmallestOutside = 1024;
constexpr std::uint64_t kAlignment = 64;

// Writes the large constants one after another and the model around them to `out`; returns the bytes written.
std::uint64_t write_weights(const ir::Graph& graph, const std::string& location, NewFile& file,
                            onnx::GraphProto& out) {
  static constexpr std::array<std::byte, kAlignment> kZeros{};
  std::uint64_t end = 0;
  for (const ir::Value* value : constants_of(graph)) {
    const Tensor& tensor = *value->constant;
    onnx::TensorProto& proto = *out.add_initializer();
    if (tensor.byte_size() < kSmallestOutside) {
      to_proto(tensor, value->name, proto);
      continue;
    }
    const std::uint64_t padding = (kAlignment - end % kAlignment) % kAlignment;
    file.write(std::span(kZeros).first(padding));
    const Tensor stored = packed(tensor);
    file.write(stored.bytes());
    to_proto_without_data(tensor, value->name, proto);
    set_external(proto, location, end + padding, stored.byte_size());
    end += padding + stored.byte_size();
  }
  return end;
}

Saved save_with_weights_outside(const ir::Graph& network, const std::filesystem::path& path, NewFiles& files) {
  if (is_special_file(path))
    throw UnsupportedError(path.string(),
                           "weights need a file of their own beside it, expected a plain file");
  const ir::Graph graph = with_clips(network);
  std::filesystem::path weights_path = path;
  weights_path += ".data";
  onnx::ModelProto model = model_around(graph);
  auto weights = std::make_unique<NewFile>(weights_path);
  const std::uint64_t bytes =
      write_weights(graph, weights_path.filename().string(), *weights, *model.mutable_graph());
  add_nodes(graph, *model.mutable_graph());
  const std::string text = serialize(model);
  files.add(weights_path, std::move(weights));
  files.add(path, text);
  return {.bytes = bytes + text.size(), .digest = digest_of(text)};
}

}  // namespace

std::string serialize_model(const ir::Graph& network) {
  if (weight_bytes(network) > kMaxWeightBytesInside)
    throw UnsupportedError("model", fmt::format("{} bytes of weights in one file, expected at most {}",
                                                weight_bytes(network), kMaxWeightBytesInside));
  const ir::Graph graph = with_clips(network);
  onnx::ModelProto model = model_around(graph);
  onnx::GraphProto& out = *model.mutable_graph();
  for (const ir::Value* value : constants_of(graph))
    to_proto(*value->constant, value->name, *out.add_initializer());
  add_nodes(graph, out);
  return serialize(model);
}

Saved save_model(const ir::Graph& graph, const std::filesystem::path& path, NewFiles& files,
                 std::uint64_t max_weight_bytes) {
  if (weight_bytes(graph) > max_weight_bytes) return save_with_weights_outside(graph, path, files);
  const std::string text = serialize_model(graph);
  files.add(path, text);
  return {.bytes = text.size(), .digest = digest_of(text)};
}

std::uint64_t save_model(const ir::Graph& graph, const std::filesystem::path& path,
                         std::uint64_t max_weight_bytes) {
  NewFiles files;
  const Saved saved = save_model(graph, path, files, max_weight_bytes);
  files.publish();
  return saved.bytes;
}

}  // namespace halftone::onnx_io
