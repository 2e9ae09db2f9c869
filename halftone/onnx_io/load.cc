#include "halftone/onnx_io/load.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <unordered_map>

#include "halftone/base/error.h"
#include "halftone/ir/infer.h"
#include "halftone/onnx_io/external_data.h"
#include "halftone/onnx_io/import_op.h"
#include "halftone/onnx_io/input_shape.h"
#include "halftone/onnx_io/model_proto.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

std::int64_t opset_of(const onnx::ModelProto& model) {
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    if (!is_default_domain(opset.domain())) continue;
    if (opset.version() < kMinOpset || opset.version() > kMaxOpset)
      throw UnsupportedError("opset",
                             fmt::format("got {}, expected {} to {}", opset.version(), kMinOpset, kMaxOpset));
    return opset.version();
  }
  throw InputError("opset", "the model does not say which operator set it uses");
}

bool is_constant_node(const onnx::NodeProto& node) {
  return is_default_domain(node.domain()) && node.op_type() == "Constant";
}

// Every operator that can't be read, at once and before any work.
void check_supported(const onnx::GraphProto& graph) {
  std::string missing;
  int count = 0;
  for (const onnx::NodeProto& node : graph.node()) {
    if (is_constant_node(node) ||
        (is_default_domain(node.domain()) && find_importer(node.op_type()) != nullptr))
      continue;
    const std::string domain = is_default_domain(node.domain()) ? "" : node.domain() + ".";
    const std::string name = node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
    if (++count <= 10)
      missing += fmt::format("{}{}{} '{}'", missing.empty() ? "" : ", ", domain, node.op_type(), name);
  }
  if (count > 10) missing += fmt::format(" and {} more", count - 10);
  if (count > 0) throw UnsupportedError("operators", "not supported: " + missing);
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
    for (const auto& entry : model.metadata_props()) graph_.metadata[entry.key()] = entry.value();
    if (!model.producer_name().empty() && model.producer_name() != kProducer)
      graph_.metadata.try_emplace(kSourceKey, producer_of(model));
  }

  ir::Graph read() {
    check_supported(proto_);
    if (proto_.sparse_initializer_size() > 0) throw UnsupportedError("initializers", "sparse tensors");
    for (onnx::TensorProto& tensor : *proto_.mutable_initializer())
      add_constant(std::string(tensor.name()), tensor);
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
    for (const onnx::ValueInfoProto& output : proto_.output())
      graph_.outputs.push_back(id_of(output.name(), "output"));
    graph_ = ir::without_dead_nodes(graph_);
    ir::check(graph_);
    return std::move(graph_);
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

  void add_constant(const std::string& name, onnx::TensorProto& proto) {
    Tensor tensor = take_tensor(proto, files_, fmt::format("initializer '{}'", name));
    const ir::ValueId id = new_value(name, tensor.dtype(), tensor.shape());
    graph_.value(id).constant = std::move(tensor);
  }

  void add_constant_node(onnx::NodeProto& node) {
    if (node.output_size() != 1)
      throw InputError("Constant", fmt::format("{} outputs, expected 1", node.output_size()));
    for (onnx::AttributeProto& attribute : *node.mutable_attribute())
      if (attribute.name() == "value" && attribute.has_t())
        return add_constant(node.output(0), *attribute.mutable_t());
    throw UnsupportedError(fmt::format("Constant '{}'", node.output(0)),
                           "no attribute 'value' with a tensor");
  }

  void add_input(const onnx::ValueInfoProto& input) {
    const std::string where = fmt::format("input '{}'", input.name());
    if (!input.type().has_tensor_type()) throw UnsupportedError(where, "is not a tensor");
    Shape shape = shape_of_input(input, shapes_);
    const DType dtype = dtype_from(input.type().tensor_type().elem_type(), where);
    graph_.inputs.push_back(new_value(input.name(), dtype, std::move(shape)));
  }

  void add_node(const onnx::NodeProto& proto) {
    std::vector<ir::ValueId> inputs;
    for (const std::string& name : proto.input())
      inputs.push_back(name.empty() ? ir::kNoValue : id_of(name, "value"));
    while (!inputs.empty() && inputs.back() == ir::kNoValue) inputs.pop_back();
    NodeReader reader(proto, opset_, graph_, std::move(inputs));
    ir::Node node{
        .name = proto.name(), .op = find_importer(proto.op_type())(reader), .inputs = {}, .outputs = {}};
    reader.expect_all_read();
    node.inputs = reader.inputs();
    const std::vector<ir::TensorType> types = ir::infer_node(graph_, node);
    for (int i = 0; i < proto.output_size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (at >= types.size() && proto.output(i).empty()) continue;
      if (at >= types.size())
        throw UnsupportedError(reader.describe(), fmt::format("output {} '{}'", i, proto.output(i)));
      node.outputs.push_back(new_value(proto.output(i), types[at].dtype, types[at].shape));
    }
    if (node.outputs.size() != types.size())
      throw InputError(reader.describe(),
                       fmt::format("{} outputs, expected {}", node.outputs.size(), types.size()));
    if (node.name.empty()) node.name = proto.output(0);
    graph_.nodes.push_back(std::move(node));
  }

  onnx::GraphProto& proto_;
  ExternalData files_;
  const InputShapes& shapes_;
  std::int64_t opset_;
  ir::Graph graph_;
  std::unordered_map<std::string, ir::ValueId> ids_;
};

ir::Graph read(onnx::ModelProto model, ExternalData files, const InputShapes& shapes,
               std::string_view where) {
  try {
    return Reader(model, std::move(files), shapes).read();
  } catch (const UnsupportedError& error) {
    throw UnsupportedError(where, error.what());
  } catch (const InputError& error) {
    throw InputError(where, error.what());
  }
}

}  // namespace

ir::Graph parse_model(std::span<const std::byte> bytes, std::string_view where, const InputShapes& shapes) {
  return read(parse_model_proto(bytes, where), ExternalData(), shapes, where);
}

ir::Graph load_model(const std::filesystem::path& path, const InputShapes& shapes) {
  return read(read_model_proto(path), ExternalData(path.parent_path()), shapes, path.string());
}

}  // namespace halftone::onnx_io
