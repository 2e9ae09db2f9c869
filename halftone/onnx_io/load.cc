#include "halftone/onnx_io/load.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "halftone/base/error.h"
#include "halftone/ir/infer.h"
#include "halftone/ir/work.h"
#include "halftone/onnx_io/external_data.h"
#include "halftone/onnx_io/import_op.h"
#include "halftone/onnx_io/input_shape.h"
#include "halftone/onnx_io/model_proto.h"
#include "halftone/onnx_io/quantizers.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

std::int64_t opset_of(const onnx::ModelProto& model) {
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    if (!is_default_domain(opset.domain())) continue;
    if (opset.version() < kMinOpset || opset.version() > kMaxOpset)
      throw UnsupportedError("opset",
                             fmt::format("got {}, expected {} to {}", opset.version(), kMinOpset, kMaxOpset),
                             Remedy::newer_opset);
    return opset.version();
  }
  throw InputError("opset", "the model does not say which operator set it uses");
}

bool is_constant_node(const onnx::NodeProto& node) {
  return is_default_domain(node.domain()) && node.op_type() == "Constant";
}

// The operator's row in the importers' table: its domain stands before it when it is not ONNX's own.
std::string key_of(const onnx::NodeProto& node) {
  return is_default_domain(node.domain()) ? node.op_type() : node.domain() + "." + node.op_type();
}

std::vector<UnsupportedNode> find_unsupported(const onnx::GraphProto& graph) {
  std::vector<UnsupportedNode> nodes;
  for (const onnx::NodeProto& node : graph.node()) {
    if (is_constant_node(node) || find_importer(key_of(node)) != nullptr) continue;
    nodes.push_back({.op = key_of(node),
                     .name = node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name(),
                     .domain = is_default_domain(node.domain()) ? "" : node.domain()});
  }
  return nodes;
}

// Every operator that can't be read, at once and before any work.
void check_supported(const onnx::GraphProto& graph) {
  constexpr std::size_t kMost = 10;  // in one line
  const std::vector<UnsupportedNode> nodes = find_unsupported(graph);
  std::string missing;
  for (std::size_t i = 0; i < std::min(nodes.size(), kMost); ++i)
    missing += fmt::format("{}{} '{}'", i == 0 ? "" : ", ", nodes[i].op, nodes[i].name);
  if (nodes.size() > kMost) missing += fmt::format(" and {} more", nodes.size() - kMost);
  if (!nodes.empty()) throw UnsupportedError("operators", "not supported: " + missing);
}

// "pytorch 1.13.1"
std::string producer_of(const onnx::ModelProto& model) {
  const std::string& version = model.producer_version();
  return model.producer_name() + (version.empty() ? "" : " " + version);
}

class Reader {
 public:
  // Takes the tensors out of `model` as it reads them.
  Reader(onnx::ModelProto& model, ExternalData files, const InputShapes& shapes)
      : proto_(*model.mutable_graph()), files_(std::move(files)), shapes_(shapes), opset_(opset_of(model)) {
    graph_.name = proto_.name();
    for (const onnx::NodeProto& node : proto_.node())
      names_.insert(node.output().begin(), node.output().end());
    for (const auto& entry : model.metadata_props()) graph_.metadata[entry.key()] = entry.value();
    if (!model.producer_name().empty() && model.producer_name() != kProducer)
      graph_.metadata.try_emplace(kSourceKey, producer_of(model));
  }

  ir::Graph read() {
    check_supported(proto_);
    if (proto_.sparse_initializer_size() > 0) throw UnsupportedError("initializers", "sparse tensors");
    for (onnx::TensorProto& tensor : *proto_.mutable_initializer())
      add_initializer(std::string(tensor.name()), tensor);
    proto_.clear_initializer();
    const std::unordered_map<std::string, ir::ValueId> weights = ids_;
    std::vector<std::string> names;
    for (const onnx::ValueInfoProto& input : proto_.input())
      if (!weights.contains(input.name())) names.push_back(input.name());
    check_names(shapes_, names);
    for (const onnx::ValueInfoProto& input : proto_.input())
      if (!weights.contains(input.name())) add_input(input);
    for (onnx::NodeProto& node : *proto_.mutable_node()) {
      if (is_constant_node(node))
        add_constant_node(node);
      else
        add_node(node);
    }
    for (const onnx::ValueInfoProto& output : proto_.output()) {
      const ir::ValueId id = id_of(output.name(), "output");
      if (std::ranges::find(graph_.outputs, id) != graph_.outputs.end())
        throw InputError("model", fmt::format("output '{}' stands twice", output.name()));
      graph_.outputs.push_back(id);
    }
    graph_ = ir::without_dead_nodes(graph_);
    for (const ir::Value& value : graph_.values)
      if (folded_.contains(value.name))
        check_elements(*value.constant, fmt::format("'{}', computed from constants", value.name));
    ir::check(graph_);
    return without_clips(std::move(graph_));
  }

  // `graph` is what read() gave. A constant that was computed counts as those of the file that it was computed from.
  std::int64_t parameter_bytes(const ir::Graph& graph) const {
    std::set<std::string> parts;
    for (const ir::Value& value : graph.values) {
      if (!value.constant) continue;
      const auto computed = sources_.find(value.name);
      if (computed == sources_.end())
        parts.insert(value.name);
      else
        parts.insert(computed->second.begin(), computed->second.end());
    }
    std::int64_t bytes = 0;
    for (const std::string& part : parts) {
      const auto of_file = bytes_.find(part);
      bytes += of_file != bytes_.end() ? of_file->second : ir::packed_bytes(graph.value(graph.find(part).value()));
    }
    return bytes;
  }

 private:
  // The graph's own naming would renumber a name that is taken; in a file that is an error.
  void define(const std::string& name, ir::ValueId id) {
    if (name.empty()) throw InputError("graph", "a value without a name");
    if (!ids_.emplace(name, id).second)
      throw InputError("graph", fmt::format("value '{}' is defined twice", name));
  }

  ir::ValueId new_value(const std::string& name, DType dtype, Shape shape) {
    graph_.values.push_back({name, dtype, std::move(shape), std::nullopt});
    const auto id = static_cast<ir::ValueId>(graph_.values.size()) - 1;
    define(name, id);
    return id;
  }

  ir::ValueId id_of(const std::string& name, std::string_view what) const {
    const auto found = ids_.find(name);
    if (found == ids_.end())
      throw InputError("graph", fmt::format("{} '{}' is computed by nothing before it", what, name));
    return found->second;
  }

  ir::ValueId add_tensor(const std::string& name, Tensor tensor) {
    const ir::ValueId id = new_value(name, tensor.dtype(), tensor.shape());
    graph_.value(id).constant = std::move(tensor);
    return id;
  }

  void add_file_tensor(const std::string& name, Tensor tensor) {
    const ir::ValueId id = add_tensor(name, std::move(tensor));
    bytes_[name] = ir::packed_bytes(graph_.value(id));
  }

  void add_initializer(const std::string& name, onnx::TensorProto& proto) {
    add_file_tensor(name, take_tensor(proto, files_, fmt::format("initializer '{}'", name)));
  }

  // A name that nothing in the file has.
  std::string fresh_name(std::string name) {
    while (names_.contains(name) || ids_.contains(name)) name += '_';
    return name;
  }

  void add_constant_node(onnx::NodeProto& node) {
    if (node.output_size() != 1)
      throw InputError("Constant", fmt::format("{} outputs, expected 1", node.output_size()));
    add_file_tensor(node.output(0), constant_of(node, files_));
  }

  void add_input(const onnx::ValueInfoProto& input) {
    const std::string where = fmt::format("input '{}'", input.name());
    if (!input.type().has_tensor_type()) throw UnsupportedError(where, "is not a tensor");
    Shape shape = shape_of_input(input, shapes_);
    const DType dtype = dtype_from(input.type().tensor_type().elem_type(), where);
    graph_.inputs.push_back(new_value(input.name(), dtype, std::move(shape)));
  }

  std::vector<ir::ValueId> inputs_of(const onnx::NodeProto& proto) {
    std::vector<ir::ValueId> inputs;
    for (const std::string& name : proto.input())
      inputs.push_back(name.empty() ? ir::kNoValue : id_of(name, "value"));
    while (!inputs.empty() && inputs.back() == ir::kNoValue) inputs.pop_back();
    if (proto.op_type() == "Reshape" && inputs.size() == 2 && inputs[0] != ir::kNoValue)
      if (const Tensor* request = known_.find(inputs[1]))
        inputs[1] = add_tensor(fresh_name(proto.output_size() > 0 ? proto.output(0) + "_shape" : "shape"),
                               ShapeValues::reshape_request(*request, graph_.value(inputs[0]).shape));
    return inputs;
  }

  void add_node(const onnx::NodeProto& proto) {
    NodeReader reader(proto, opset_, graph_, known_, inputs_of(proto));
    ir::Node node{
        .name = proto.name(), .op = find_importer(key_of(proto))(reader), .inputs = {}, .outputs = {}};
    reader.expect_all_read();
    node.inputs = reader.inputs();
    const std::vector<ir::TensorType> types = ir::infer_node(graph_, node);
    if (const auto known = known_.follow(graph_, node, types)) return add_known(proto, node, *known);
    for (ir::ValueId id : node.inputs)
      if (id != ir::kNoValue && known_.find(id) != nullptr)
        throw UnsupportedError(reader.describe(),
                               "computes with a dimension that is not fixed", Remedy::give_shapes);
    if (reader.output_count() > static_cast<int>(types.size()))
      throw UnsupportedError(reader.describe(), fmt::format("output {} '{}'", types.size(),
                                                            proto.output(static_cast<int>(types.size()))));
    for (std::size_t i = 0; i < types.size(); ++i)
      node.outputs.push_back(new_value(output_name(proto, i), types[i].dtype, types[i].shape));
    if (node.name.empty()) node.name = graph_.value(node.outputs[0]).name;
    graph_.nodes.push_back(std::move(node));
  }

  // An output that the file leaves unnamed gets a name.
  std::string output_name(const onnx::NodeProto& proto, std::size_t i) {
    const int at = static_cast<int>(i);
    if (at < proto.output_size() && !proto.output(at).empty()) return proto.output(at);
    if (i == 0)
      throw InputError("graph", fmt::format("{} '{}' without an output", proto.op_type(), proto.name()));
    return fresh_name(fmt::format("{}_output{}", proto.output(0), i));
  }

  void add_folded(const std::string& name, const ir::Node& node, const Tensor& value) {
    add_tensor(name, value);
    folded_.insert(name);
    std::set<std::string>& sources = sources_[name];
    for (ir::ValueId id : node.inputs) {
      if (id == ir::kNoValue) continue;
      const std::string& input = graph_.value(id).name;
      if (const auto computed = sources_.find(input); computed != sources_.end())
        sources.insert(computed->second.begin(), computed->second.end());
      else if (bytes_.contains(input))
        sources.insert(input);
    }
  }

  // Outputs that follow from constants and shapes.
  void add_known(const onnx::NodeProto& proto, const ir::Node& node, const std::vector<Tensor>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (static_cast<int>(i) >= proto.output_size() || proto.output(static_cast<int>(i)).empty()) continue;
      const std::string& name = proto.output(static_cast<int>(i));
      if (has_unknown(values[i]))
        known_.set(new_value(name, values[i].dtype(), values[i].shape()), values[i]);
      else
        add_folded(name, node, values[i]);
    }
  }

  onnx::GraphProto& proto_;
  ExternalData files_;
  const InputShapes& shapes_;
  std::int64_t opset_;
  ir::Graph graph_;
  ShapeValues known_;
  std::unordered_set<std::string> folded_;  // constants that are not in the file
  std::unordered_map<std::string, std::set<std::string>> sources_;  // of the file, that each of them is computed from
  std::unordered_map<std::string, std::int64_t> bytes_;             // of the file's constants
  std::unordered_set<std::string> names_;   // of everything that the file's nodes compute
  std::unordered_map<std::string, ir::ValueId> ids_;
};

LoadedModel read(onnx::ModelProto model, ExternalData files, const InputShapes& shapes, std::string_view where) {
  try {
    Reader reader(model, std::move(files), shapes);
    ir::Graph graph = reader.read();
    const std::int64_t bytes = reader.parameter_bytes(graph);
    return {std::move(graph), bytes};
  } catch (const InputError&) {
    throw_again_in(where);
  }
}

}  // namespace

ir::Graph parse_model(std::span<const std::byte> bytes, std::string_view where, const InputShapes& shapes) {
  return read(parse_model_proto(bytes, where), ExternalData(), shapes, where).graph;
}

std::vector<UnsupportedNode> unsupported_nodes(const std::filesystem::path& path) {
  return find_unsupported(read_model_proto(path).graph());
}

ir::Graph load_model(const std::filesystem::path& path, const InputShapes& shapes) {
  return load_model_and_size(path, shapes).graph;
}

LoadedModel load_model_and_size(const std::filesystem::path& path, const InputShapes& shapes) {
  return read(read_model_proto(path), ExternalData(path.parent_path()), shapes, path.string());
}

}  // namespace halftone::onnx_io
