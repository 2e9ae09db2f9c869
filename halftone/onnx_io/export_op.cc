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
void write(const Op&, onnx::NodeProto&, onnx::GraphProto&) {
  static_assert(std::is_empty_v<Op>, "an op with attributes needs its own exporter");
}

void write(const ir::Conv& op, onnx::NodeProto& node, onnx::GraphProto&) {
  add_window(node, op.window);
  if (op.groups != 1) add(node, "group", op.groups);
}

void write(const ir::MaxPool& op, onnx::NodeProto& node, onnx::GraphProto&) { add_window(node, op.window); }

void write(const ir::AveragePool& op, onnx::NodeProto& node, onnx::GraphProto&) {
  add_window(node, op.window);
  if (op.count_include_pad) add(node, "count_include_pad", std::int64_t{1});
}

void write(const ir::Gemm& op, onnx::NodeProto& node, onnx::GraphProto&) {
  if (op.alpha != 1.0F) add(node, "alpha", op.alpha);
  if (op.beta != 1.0F) add(node, "beta", op.beta);
  if (op.trans_a) add(node, "transA", std::int64_t{1});
  if (op.trans_b) add(node, "transB", std::int64_t{1});
}

void write(const ir::Clip& op, onnx::NodeProto& node, onnx::GraphProto& graph) {
  to_proto(Tensor::from<float>({}, {&op.lo, 1}), node.name() + "_min", *graph.add_initializer());
  to_proto(Tensor::from<float>({}, {&op.hi, 1}), node.name() + "_max", *graph.add_initializer());
  node.add_input(node.name() + "_min");
  node.add_input(node.name() + "_max");
}

void write(const ir::BatchNormalization& op, onnx::NodeProto& node, onnx::GraphProto&) {
  add(node, "epsilon", op.epsilon);
}
void write(const ir::Flatten& op, onnx::NodeProto& node, onnx::GraphProto&) { add(node, "axis", op.axis); }
void write(const ir::Softmax& op, onnx::NodeProto& node, onnx::GraphProto&) { add(node, "axis", op.axis); }
void write(const ir::QuantizeLinear& op, onnx::NodeProto& node, onnx::GraphProto&) {
  add(node, "axis", op.axis);
}
void write(const ir::DequantizeLinear& op, onnx::NodeProto& node, onnx::GraphProto&) {
  add(node, "axis", op.axis);
}
void write(const ir::Reshape& op, onnx::NodeProto& node, onnx::GraphProto&) {
  if (op.allow_zero) add(node, "allowzero", std::int64_t{1});
}

}  // namespace

void export_op(const ir::Op& op, onnx::NodeProto& node, onnx::GraphProto& graph) {
  node.set_op_type(std::string(ir::name_of(op)));
  std::visit([&](const auto& o) { write(o, node, graph); }, op);
}

}  // namespace halftone::onnx_io
