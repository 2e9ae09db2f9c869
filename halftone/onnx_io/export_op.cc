#include "halftone/onnx_io/export_op.h"

#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

void add(onnx::NodeProto& node, const char* name, std::int64_t value) {
  onnx::AttributeProto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

void add(onnx::NodeProto& node, const char* name, float value) {
  onnx::AttributeProto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::FLOAT);
  attribute->set_f(value);
}

void add(onnx::NodeProto& node, const char* name, const std::string& value) {
  onnx::AttributeProto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::STRING);
  attribute->set_s(value);
}

void add(onnx::NodeProto& node, const char* name, const std::vector<std::int64_t>& values) {
  if (values.empty()) return;
  onnx::AttributeProto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (std::int64_t value : values) attribute->add_ints(value);
}

void add_window(onnx::NodeProto& node, const ir::Window& window) {
  add(node, "kernel_shape", window.kernel);
  add(node, "strides", window.strides);
  add(node, "pads", window.pads);
  add(node, "dilations", window.dilations);
  if (window.auto_pad == ir::AutoPad::same_upper) add(node, "auto_pad", std::string("SAME_UPPER"));
  if (window.auto_pad == ir::AutoPad::same_lower) add(node, "auto_pad", std::string("SAME_LOWER"));
  if (window.auto_pad == ir::AutoPad::valid) add(node, "auto_pad", std::string("VALID"));
  if (window.ceil_mode) add(node, "ceil_mode", std::int64_t{1});
}

template <typename Op>
void write(const Op&, onnx::NodeProto&) {
  static_assert(std::is_empty_v<Op>, "an op with attributes needs its own exporter");
}

void write(const ir::Conv& op, onnx::NodeProto& node) {
  add_window(node, op.window);
  if (op.groups != 1) add(node, "group", op.groups);
}

void write(const ir::MaxPool& op, onnx::NodeProto& node) { add_window(node, op.window); }

void write(const ir::AveragePool& op, onnx::NodeProto& node) {
  add_window(node, op.window);
  if (op.count_include_pad) add(node, "count_include_pad", std::int64_t{1});
}

void write(const ir::Gemm& op, onnx::NodeProto& node) {
  if (op.alpha != 1.0F) add(node, "alpha", op.alpha);
  if (op.beta != 1.0F) add(node, "beta", op.beta);
  if (op.trans_a) add(node, "transA", std::int64_t{1});
  if (op.trans_b) add(node, "transB", std::int64_t{1});
}

// What these hold beyond attributes is written as inputs.
void write(const ir::Clip&, onnx::NodeProto&) {}
void write(const ir::Squeeze&, onnx::NodeProto&) {}
void write(const ir::Unsqueeze&, onnx::NodeProto&) {}
void write(const ir::Transpose& op, onnx::NodeProto& node) { add(node, "perm", op.permutation); }
void write(const ir::Concat& op, onnx::NodeProto& node) { add(node, "axis", op.axis); }
void write(const ir::LeakyRelu& op, onnx::NodeProto& node) { add(node, "alpha", op.alpha); }
void write(const ir::Elu& op, onnx::NodeProto& node) { add(node, "alpha", op.alpha); }
void write(const ir::Swish& op, onnx::NodeProto& node) { add(node, "alpha", op.alpha); }
void write(const ir::Selu& op, onnx::NodeProto& node) {
  add(node, "alpha", op.alpha);
  add(node, "gamma", op.gamma);
}
void write(const ir::HardSigmoid& op, onnx::NodeProto& node) {
  add(node, "alpha", op.alpha);
  add(node, "beta", op.beta);
}
void write(const ir::Gelu& op, onnx::NodeProto& node) {
  if (op.tanh_approximation) add(node, "approximate", std::string("tanh"));
}
void write(const ir::BatchNormalization& op, onnx::NodeProto& node) { add(node, "epsilon", op.epsilon); }
void write(const ir::Flatten& op, onnx::NodeProto& node) { add(node, "axis", op.axis); }
void write(const ir::Softmax& op, onnx::NodeProto& node) { add(node, "axis", op.axis); }
void write(const ir::QuantizeLinear& op, onnx::NodeProto& node) { add(node, "axis", op.axis); }
void write(const ir::DequantizeLinear& op, onnx::NodeProto& node) { add(node, "axis", op.axis); }
void write(const ir::Reshape& op, onnx::NodeProto& node) {
  if (op.allow_zero) add(node, "allowzero", std::int64_t{1});
}

// A name that no value of the graph has. Values' names are unique, and so are those made from them.
std::string fresh_name(const ir::Graph& graph, std::string name) {
  while (graph.find(name)) name += '_';
  return name;
}

onnx::NodeProto& add_node(const ir::Op& op, const std::string& name, onnx::GraphProto& out) {
  onnx::NodeProto& node = *out.add_node();
  node.set_name(name);
  node.set_op_type(std::string(ir::name_of(op)));
  std::visit([&](const auto& o) { write(o, node); }, op);
  return node;
}

void add_bounds(const ir::Clip& op, const std::string& output, const ir::Graph& graph, onnx::NodeProto& node,
                onnx::GraphProto& out) {
  for (const auto& [suffix, bound] : {std::pair("_min", op.lo), std::pair("_max", op.hi)}) {
    const std::string name = fresh_name(graph, output + suffix);
    to_proto(Tensor::from<float>({}, {&bound, 1}), name, *out.add_initializer());
    node.add_input(name);
  }
}

void add_axes(const std::vector<std::int64_t>& axes, const std::string& output, const ir::Graph& graph,
              onnx::NodeProto& node, onnx::GraphProto& out) {
  const std::string name = fresh_name(graph, output + "_axes");
  to_proto(Tensor::from<std::int64_t>({static_cast<std::int64_t>(axes.size())}, axes), name,
           *out.add_initializer());
  node.add_input(name);
}

// Over all dimensions from the axis on, together, as before operator set 13: flattened, and shaped back.
void add_softmax_to_end(const ir::Softmax& op, const ir::Node& node, const ir::Graph& graph,
                        onnx::GraphProto& out) {
  const ir::Value& y = graph.value(node.outputs[0]);
  const std::string flat = fresh_name(graph, y.name + "_flat");
  const std::string scores = fresh_name(graph, y.name + "_softmax");
  const std::string shape = fresh_name(graph, y.name + "_shape");
  std::vector<std::int64_t> dims = y.shape;
  for (std::int64_t& dim : dims)
    if (dim == kDynamic) dim = -1;
  onnx::NodeProto& flatten = add_node(ir::Flatten{.axis = op.axis}, flat, out);
  flatten.add_input(graph.value(node.inputs[0]).name);
  flatten.add_output(flat);
  onnx::NodeProto& softmax = add_node(ir::Softmax{.axis = 1}, node.name, out);
  softmax.add_input(flat);
  softmax.add_output(scores);
  to_proto(Tensor::from<std::int64_t>({static_cast<std::int64_t>(dims.size())}, dims), shape,
           *out.add_initializer());
  onnx::NodeProto& reshape = add_node(ir::Reshape{}, shape, out);
  reshape.add_input(scores);
  reshape.add_input(shape);
  reshape.add_output(y.name);
}

}  // namespace

void export_node(const ir::Graph& graph, const ir::Node& node, onnx::GraphProto& out) {
  const auto* softmax = std::get_if<ir::Softmax>(&node.op);
  if (softmax != nullptr && softmax->to_end) return add_softmax_to_end(*softmax, node, graph, out);
  onnx::NodeProto& added = add_node(node.op, node.name, out);
  for (ir::ValueId id : node.inputs) added.add_input(id == ir::kNoValue ? "" : graph.value(id).name);
  for (ir::ValueId id : node.outputs) added.add_output(graph.value(id).name);
  if (const auto* squeeze = std::get_if<ir::Squeeze>(&node.op); squeeze != nullptr && !squeeze->axes.empty())
    add_axes(squeeze->axes, graph.value(node.outputs[0]).name, graph, added, out);
  if (const auto* unsqueeze = std::get_if<ir::Unsqueeze>(&node.op))
    add_axes(unsqueeze->axes, graph.value(node.outputs[0]).name, graph, added, out);
  if (const auto* clip = std::get_if<ir::Clip>(&node.op))
    add_bounds(*clip, graph.value(node.outputs[0]).name, graph, added, out);
}

std::int64_t opset_of(const ir::Graph& graph, const ir::Node& node) {
  const auto* reshape = std::get_if<ir::Reshape>(&node.op);
  if (reshape != nullptr && reshape->allow_zero) return 14;
  if (std::holds_alternative<ir::HardSwish>(node.op)) return 14;
  const bool elementwise =
      std::visit([]<typename T>(const T&) { return ir::Unary<T> || ir::Binary<T>; }, node.op);
  const bool on_integers = elementwise && !is_float(graph.value(node.outputs[0]).dtype);
  if (on_integers) return 14;
  if (std::holds_alternative<ir::Gelu>(node.op)) return 20;
  if (std::holds_alternative<ir::Swish>(node.op)) return 24;
  const auto* pool = std::get_if<ir::AveragePool>(&node.op);
  if (pool != nullptr && !pool->window.dilations.empty()) return 19;
  const bool quantizes = std::holds_alternative<ir::QuantizeLinear>(node.op) ||
                         std::holds_alternative<ir::DequantizeLinear>(node.op);
  const DType integers =
      graph.value(quantizes && is_float(graph.value(node.inputs[0]).dtype) ? node.outputs[0] : node.inputs[0])
          .dtype;
  if (quantizes && (integers == DType::int16 || integers == DType::uint16)) return 21;
  return 13;
}

}  // namespace halftone::onnx_io
