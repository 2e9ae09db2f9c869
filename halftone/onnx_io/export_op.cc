#include "halftone/onnx_io/export_op.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/onnx_io/save.h"
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

// The dimensions whose size is given.
std::vector<std::int64_t> fixed_axes(const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> axes;
  for (std::size_t d = 0; d < sizes.size(); ++d)
    if (sizes[d] != kDynamic) axes.push_back(static_cast<std::int64_t>(d));
  return axes;
}

template <typename Op>
void write(const Op&, onnx::NodeProto&) {
  static_assert(std::is_empty_v<Op>, "an op with attributes needs its own exporter");
}

void write(const ir::Conv& op, onnx::NodeProto& node) {
  add_window(node, op.window);
  if (op.groups != 1) add(node, "group", op.groups);
}

void write(const ir::MaxPool& op, onnx::NodeProto& node) {
  add_window(node, op.window);
  if (op.column_major) add(node, "storage_order", std::int64_t{1});
}

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

void write(const ir::ConvTranspose& op, onnx::NodeProto& node) {
  add_window(node, op.window);
  if (op.groups != 1) add(node, "group", op.groups);
  add(node, "output_padding", op.output_padding);
  add(node, "output_shape", op.output_shape);
}
void write(const ir::ConvInteger& op, onnx::NodeProto& node) { write(op.conv, node); }
void write(const ir::QLinearConv& op, onnx::NodeProto& node) { write(op.conv, node); }

// Fields of these beyond attributes are written as inputs.
void write(const ir::Clip&, onnx::NodeProto&) {}
void write(const ir::Squeeze&, onnx::NodeProto&) {}
void write(const ir::Unsqueeze&, onnx::NodeProto&) {}
void write(const ir::Slice&, onnx::NodeProto&) {}
void write(const ir::Expand&, onnx::NodeProto&) {}
void write(const ir::Split& op, onnx::NodeProto& node) { add(node, "axis", op.axis); }
void write(const ir::Gather& op, onnx::NodeProto& node) { add(node, "axis", op.axis); }
void write(const ir::Pad& op, onnx::NodeProto& node) {
  constexpr const char* kModes[] = {"constant", "reflect", "edge", "wrap"};
  add(node, "mode", std::string(kModes[static_cast<int>(op.mode)]));
}
void write(const ir::Resize& op, onnx::NodeProto& node) {
  constexpr const char* kCoordinates[] = {"half_pixel", "pytorch_half_pixel", "half_pixel_symmetric",
                                          "asymmetric", "align_corners"};
  constexpr const char* kNearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
  add(node, "mode", std::string(op.linear ? "linear" : "nearest"));
  add(node, "coordinate_transformation_mode", std::string(kCoordinates[static_cast<int>(op.coordinates)]));
  if (!op.linear) add(node, "nearest_mode", std::string(kNearest[static_cast<int>(op.nearest)]));
  if (!is_static(op.sizes)) add(node, "axes", fixed_axes(op.sizes));
}
template <ir::Reduction Op>
void write(const Op& op, onnx::NodeProto& node) {
  if (!op.over.keepdims) add(node, "keepdims", std::int64_t{0});
  if (op.over.noop_with_empty_axes) add(node, "noop_with_empty_axes", std::int64_t{1});
}
void write(const ir::Cast& op, onnx::NodeProto& node) { add(node, "to", std::int64_t{onnx_type_of(op.to)}); }
void write(const ir::ShapeOf& op, onnx::NodeProto& node) {
  if (op.start != 0) add(node, "start", op.start);
  if (op.end != INT64_MAX) add(node, "end", op.end);
}
void write(const ir::ConstantOfShape& op, onnx::NodeProto& node) {
  onnx::AttributeProto* attribute = node.add_attribute();
  attribute->set_name("value");
  attribute->set_type(onnx::AttributeProto::TENSOR);
  to_proto(op.value, "", *attribute->mutable_t());
}
void write(const ir::ArgMax& op, onnx::NodeProto& node) {
  add(node, "axis", op.axis);
  if (!op.keepdims) add(node, "keepdims", std::int64_t{0});
  if (op.select_last) add(node, "select_last_index", std::int64_t{1});
}
void write(const ir::InstanceNormalization& op, onnx::NodeProto& node) { add(node, "epsilon", op.epsilon); }
void write(const ir::LayerNormalization& op, onnx::NodeProto& node) {
  add(node, "axis", op.axis);
  add(node, "epsilon", op.epsilon);
}
void write(const ir::RMSNormalization& op, onnx::NodeProto& node) {
  add(node, "axis", op.axis);
  add(node, "epsilon", op.epsilon);
}
void write(const ir::LRN& op, onnx::NodeProto& node) {
  add(node, "size", op.size);
  add(node, "alpha", op.alpha);
  add(node, "beta", op.beta);
  add(node, "bias", op.bias);
}
void write(const ir::DepthToSpace& op, onnx::NodeProto& node) {
  add(node, "blocksize", op.block);
  if (op.columns_last) add(node, "mode", std::string("CRD"));
}
void write(const ir::SpaceToDepth& op, onnx::NodeProto& node) { add(node, "blocksize", op.block); }
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
void write(const ir::BatchNormalization& op, onnx::NodeProto& node) {
  add(node, "epsilon", op.epsilon);
  if (op.training) add(node, "training_mode", std::int64_t{1});
  if (op.training) add(node, "momentum", op.momentum);
}
void write(const ir::Flatten& op, onnx::NodeProto& node) { add(node, "axis", op.axis); }
template <ir::Scoring Op>
void write(const Op& op, onnx::NodeProto& node) {
  add(node, "axis", op.axis);
}
void write(const ir::QuantizeLinear& op, onnx::NodeProto& node) {
  add(node, "axis", op.axis);
  if (op.block_size != 0) add(node, "block_size", op.block_size);
  if (op.to != DType::uint8) add(node, "output_dtype", std::int64_t{onnx_type_of(op.to)});
}
void write(const ir::DequantizeLinear& op, onnx::NodeProto& node) {
  add(node, "axis", op.axis);
  if (op.block_size != 0) add(node, "block_size", op.block_size);
}
void write(const ir::Reshape& op, onnx::NodeProto& node) {
  if (op.allow_zero) add(node, "allowzero", std::int64_t{1});
}

template <ir::QuantizedOp Op>
void write(const Op& op, onnx::NodeProto& node) {
  write(op.op, node);
}
void write(const ir::QGemm& op, onnx::NodeProto& node) { write(op.op, node); }
void write(const ir::Quant& op, onnx::NodeProto& node) {
  add(node, "signed", std::int64_t{op.is_signed});
  add(node, "narrow", std::int64_t{op.narrow});
  add(node, "rounding_mode", std::string(op.rounding == numeric::Rounding::floor ? "FLOOR" : "ROUND"));
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
  node.set_domain(std::string(ir::domain_of(op)));
  std::visit([&](const auto& o) { write(o, node); }, op);
  return node;
}

// Adds a constant of the exporter's own as the node's next input, under a name made from its output's.
void add_input(const Tensor& tensor, const std::string& suffix, const ir::Graph& graph, onnx::NodeProto& node,
               onnx::GraphProto& out) {
  const std::string name = fresh_name(graph, node.output(0) + suffix);
  to_proto(tensor, name, *out.add_initializer());
  node.add_input(name);
}

void add_input(const std::vector<std::int64_t>& values, const std::string& suffix, const ir::Graph& graph,
               onnx::NodeProto& node, onnx::GraphProto& out) {
  add_input(Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values), suffix, graph,
            node, out);
}

// The fields of an op that ONNX has as inputs.
template <typename Op>
void add_inputs(const Op&, DType, const ir::Graph&, onnx::NodeProto&, onnx::GraphProto&) {}

void add_inputs(const ir::Clip& op, DType dtype, const ir::Graph& graph, onnx::NodeProto& node,
                onnx::GraphProto& out) {
  for (const auto& [suffix, bound] : {std::pair("_min", op.lo), std::pair("_max", op.hi)}) {
    const Tensor* inputs[] = {nullptr};
    const Tensor real = Tensor::from<float>({}, {&bound, 1});
    inputs[0] = &real;
    add_input(ir::evaluate(ir::Cast{.to = dtype}, inputs)[0], suffix, graph, node, out);
  }
}
void add_inputs(const ir::Squeeze& op, DType, const ir::Graph& graph, onnx::NodeProto& node,
                onnx::GraphProto& out) {
  if (!op.axes.empty()) add_input(op.axes, "_axes", graph, node, out);
}
void add_inputs(const ir::Unsqueeze& op, DType, const ir::Graph& graph, onnx::NodeProto& node,
                onnx::GraphProto& out) {
  add_input(op.axes, "_axes", graph, node, out);
}
void add_inputs(const ir::Slice& op, DType, const ir::Graph& graph, onnx::NodeProto& node,
                onnx::GraphProto& out) {
  add_input(op.starts, "_starts", graph, node, out);
  add_input(op.ends, "_ends", graph, node, out);
  if (!op.axes.empty()) add_input(op.axes, "_axes", graph, node, out);
  if (op.axes.empty() && !op.steps.empty()) node.add_input("");
  if (!op.steps.empty()) add_input(op.steps, "_steps", graph, node, out);
}
void add_inputs(const ir::Split& op, DType, const ir::Graph& graph, onnx::NodeProto& node,
                onnx::GraphProto& out) {
  add_input(op.sizes, "_split", graph, node, out);
}
void add_inputs(const ir::Expand& op, DType, const ir::Graph& graph, onnx::NodeProto& node,
                onnx::GraphProto& out) {
  add_input(op.shape, "_shape", graph, node, out);
}
void add_inputs(const ir::Pad& op, DType dtype, const ir::Graph& graph, onnx::NodeProto& node,
                onnx::GraphProto& out) {
  add_input(op.pads, "_pads", graph, node, out);
  if (op.mode != ir::PadMode::constant || op.value == 0.0) return;
  const Tensor value = Tensor::from<double>({}, {&op.value, 1});
  const Tensor* inputs[] = {&value};
  add_input(ir::evaluate(ir::Cast{.to = dtype}, inputs)[0], "_value", graph, node, out);
}
void add_inputs(const ir::Resize& op, DType, const ir::Graph& graph, onnx::NodeProto& node,
                onnx::GraphProto& out) {
  node.add_input("");  // the region of interest, which these coordinates do not use
  if (op.sizes.empty()) {
    add_input(Tensor::from<float>({static_cast<std::int64_t>(op.scales.size())}, op.scales), "_scales", graph,
              node, out);
    return;
  }
  std::vector<std::int64_t> sizes;
  for (std::int64_t axis : fixed_axes(op.sizes)) sizes.push_back(op.sizes[static_cast<std::size_t>(axis)]);
  node.add_input("");
  add_input(sizes, "_sizes", graph, node, out);
}
template <ir::Reduction Op>
void add_inputs(const Op& op, DType, const ir::Graph& graph, onnx::NodeProto& node, onnx::GraphProto& out) {
  if (!op.over.axes.empty()) add_input(op.over.axes, "_axes", graph, node, out);
}

// Over all dimensions from the axis on, together, as before operator set 13: flattened, and shaped back.
template <ir::Scoring Op>
void add_scoring_to_end(const Op& op, const ir::Node& node, const ir::Graph& graph, onnx::GraphProto& out) {
  const ir::Value& y = graph.value(node.outputs[0]);
  const std::string flat = fresh_name(graph, y.name + "_flat");
  const std::string scores = fresh_name(graph, y.name + "_softmax");
  const std::string shape = fresh_name(graph, y.name + "_shape");
  std::vector<std::int64_t> dims = y.shape;
  if (std::ranges::count(dims, kDynamic) > 1)
    throw UnsupportedError(ir::describe(graph, node),
                           fmt::format("to be written it is shaped back to {}, of which only one dimension may "
                                       "be that of the batch",
                                       to_string(dims)));
  for (std::int64_t& dim : dims)
    if (dim == kDynamic) dim = -1;
  onnx::NodeProto& flatten = add_node(ir::Flatten{.axis = op.axis}, flat, out);
  flatten.add_input(graph.value(node.inputs[0]).name);
  flatten.add_output(flat);
  Op along_rows = op;
  along_rows.axis = 1;
  onnx::NodeProto& scored = add_node(along_rows, node.name, out);
  scored.add_input(flat);
  scored.add_output(scores);
  to_proto(Tensor::from<std::int64_t>({static_cast<std::int64_t>(dims.size())}, dims), shape,
           *out.add_initializer());
  onnx::NodeProto& reshape = add_node(ir::Reshape{}, shape, out);
  reshape.add_input(scores);
  reshape.add_input(shape);
  reshape.add_output(y.name);
}

// Exported in a way of its own: whether it was.
template <typename Op>
bool export_specially(const Op& op, const ir::Node& node, const ir::Graph& graph, onnx::GraphProto& out) {
  if constexpr (ir::Scoring<Op>) {
    if (op.to_end) add_scoring_to_end(op, node, graph, out);
    return op.to_end;
  }
  return false;
}

template <typename Op>
std::int64_t min_opset(const Op&) {
  return kOpset;
}
std::int64_t min_opset(const ir::HardSwish&) { return 14; }
std::int64_t min_opset(const ir::Gelu&) { return 20; }
std::int64_t min_opset(const ir::Swish&) { return 24; }
std::int64_t min_opset(const ir::LayerNormalization&) { return 17; }
std::int64_t min_opset(const ir::RMSNormalization&) { return 23; }
std::int64_t min_opset(const ir::Reshape& op) { return op.allow_zero ? 14 : kOpset; }
std::int64_t min_opset(const ir::BatchNormalization& op) { return op.training ? 14 : kOpset; }
std::int64_t min_opset(const ir::AveragePool& op) { return op.window.dilations.empty() ? kOpset : 19; }
std::int64_t min_opset(const ir::Pad& op) { return op.mode == ir::PadMode::wrap ? 19 : kOpset; }
std::int64_t min_opset(const ir::ShapeOf& op) { return op.start != 0 || op.end != INT64_MAX ? 15 : kOpset; }
std::int64_t min_opset(const ir::Resize& op) {
  if (op.coordinates == ir::Coordinates::half_pixel_symmetric) return 19;
  return is_static(op.sizes) ? kOpset : 18;
}
// Axes are an input of these since 18, of ReduceSum since 13.
std::int64_t min_opset(const ir::ReduceMean&) { return 18; }
std::int64_t min_opset(const ir::ReduceMax&) { return 18; }
std::int64_t min_opset(const ir::ReduceMin&) { return 18; }
std::int64_t min_opset(const ir::QuantizeLinear& op) {
  return op.block_size != 0 || op.to != DType::uint8 ? 21 : kOpset;
}
std::int64_t min_opset(const ir::DequantizeLinear& op) { return op.block_size != 0 ? 21 : kOpset; }

// The oldest operator set that has Quantize and Dequantize of these integers.
std::int64_t opset_of_integers(DType dtype) {
  if (bits_of(dtype) == 2) return 25;
  return bits_of(dtype) == 4 || bits_of(dtype) == 16 ? 21 : kOpset;
}

}  // namespace

void export_node(const ir::Graph& graph, const ir::Node& node, onnx::GraphProto& out) {
  if (std::visit([&](const auto& op) { return export_specially(op, node, graph, out); }, node.op)) return;
  onnx::NodeProto& added = add_node(node.op, node.name, out);
  for (ir::ValueId id : node.inputs) added.add_input(id == ir::kNoValue ? "" : graph.value(id).name);
  for (ir::ValueId id : node.outputs) added.add_output(graph.value(id).name);
  const DType dtype = node.inputs.empty() ? DType::float32 : graph.value(node.inputs[0]).dtype;
  std::visit([&](const auto& op) { add_inputs(op, dtype, graph, added, out); }, node.op);
}

std::int64_t opset_of(const ir::Graph& graph, const ir::Node& node) {
  std::int64_t version = std::visit([](const auto& op) { return min_opset(op); }, node.op);
  const bool elementwise =
      std::visit([]<typename T>(const T&) { return ir::Unary<T> || ir::Binary<T>; }, node.op);
  if (elementwise && !is_float(graph.value(node.outputs[0]).dtype))
    version = std::max<std::int64_t>(version, 14);
  const bool quantizes = std::holds_alternative<ir::QuantizeLinear>(node.op);
  if (quantizes || std::holds_alternative<ir::DequantizeLinear>(node.op))
    version =
        std::max(version, opset_of_integers(graph.value(quantizes ? node.outputs[0] : node.inputs[0]).dtype));
  for (const auto& ids : {node.inputs, node.outputs})
    for (ir::ValueId id : ids)
      if (id != ir::kNoValue && bits_of(graph.value(id).dtype) < 8)
        version = std::max(version, opset_of_integers(graph.value(id).dtype));
  return version;
}

}  // namespace halftone::onnx_io
