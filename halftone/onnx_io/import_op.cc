#include "halftone/onnx_io/import_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "halftone/base/error.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

ir::AutoPad read_auto_pad(const NodeReader& node) {
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "NOTSET") return ir::AutoPad::not_set;
  if (mode == "SAME_UPPER") return ir::AutoPad::same_upper;
  if (mode == "SAME_LOWER") return ir::AutoPad::same_lower;
  if (mode == "VALID") return ir::AutoPad::valid;
  throw InputError(node.describe(),
                   fmt::format("auto_pad '{}', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID", mode));
}

ir::Window read_window(const NodeReader& node) {
  ir::Window window;
  window.kernel = node.integers("kernel_shape");
  window.strides = node.integers("strides");
  window.pads = node.integers("pads");
  window.dilations = node.integers("dilations");
  window.auto_pad = read_auto_pad(node);
  if (window.auto_pad != ir::AutoPad::not_set) window.pads.clear();
  return window;
}

ir::Conv read_conv(const NodeReader& node) {
  return {.window = read_window(node), .groups = node.integer("group", 1)};
}

ir::Op import_conv(NodeReader& node) { return read_conv(node); }

template <typename Op>
ir::Op import_integer_conv(NodeReader& node) {
  return Op{.conv = read_conv(node)};
}

ir::Op import_conv_transpose(NodeReader& node) {
  return ir::ConvTranspose{.window = read_window(node),
                           .groups = node.integer("group", 1),
                           .output_padding = node.integers("output_padding"),
                           .output_shape = node.integers("output_shape")};
}

ir::Op import_max_pool(NodeReader& node) {
  ir::MaxPool op{.window = read_window(node)};
  op.window.ceil_mode = node.integer("ceil_mode", 0) != 0;
  op.with_indices = node.output_count() > 1;
  op.column_major = node.integer("storage_order", 0) != 0 && op.with_indices;
  return op;
}

ir::Op import_average_pool(NodeReader& node) {
  ir::AveragePool op{.window = read_window(node),
                     .count_include_pad = node.integer("count_include_pad", 0) != 0};
  op.window.ceil_mode = node.integer("ceil_mode", 0) != 0;
  return op;
}

ir::Op import_gemm(NodeReader& node) {
  return ir::Gemm{.alpha = node.real("alpha", 1.0F),
                  .beta = node.real("beta", 1.0F),
                  .trans_a = node.integer("transA", 0) != 0,
                  .trans_b = node.integer("transB", 0) != 0};
}

ir::Op import_clip(NodeReader& node) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  ir::Clip op;
  if (node.opset() < 11) {
    op = {.lo = node.real("min", -kInfinity), .hi = node.real("max", kInfinity)};
  } else {
    op = {.lo = static_cast<float>(node.scalar_input(1, "min", -kInfinity)),
          .hi = static_cast<float>(node.scalar_input(2, "max", kInfinity))};
    node.keep_first_of(3);
  }
  if (std::isnan(op.lo) || std::isnan(op.hi))
    throw InputError(node.describe(), "bound is not a number (NaN)");
  return op;
}

ir::Op import_batch_normalization(NodeReader& node) {
  if (node.integer("spatial", 1) != 1)
    throw UnsupportedError(node.describe(), "spatial is 0, expected statistics by channel");
  const ir::BatchNormalization op{.epsilon = node.real("epsilon", 1e-5F),
                                  .momentum = node.real("momentum", 0.9F),
                                  .training = node.integer("training_mode", 0) != 0};
  if (node.output_count() > (op.training ? 3 : 1))
    throw UnsupportedError(node.describe(), "statistics as outputs, expected inference");
  return op;
}

template <typename Op>
ir::Op import_scoring(NodeReader& node) {
  const bool to_end = node.opset() < 13;
  Op op;
  op.axis = node.integer("axis", to_end ? 1 : -1);
  op.to_end = to_end;
  return op;
}

ir::Op import_arg_max(NodeReader& node) {
  return ir::ArgMax{.axis = node.integer("axis", 0),
                    .keepdims = node.integer("keepdims", 1) != 0,
                    .select_last = node.integer("select_last_index", 0) != 0};
}

ir::Op import_quantize_linear(NodeReader& node) {
  node.integer("saturate", 1);  // of float8 only
  node.integer("precision", 0);
  ir::QuantizeLinear op{.axis = node.integer("axis", 1), .block_size = node.integer("block_size", 0)};
  const std::int64_t to = node.integer("output_dtype", 0);
  if (to != 0 && !node.has_input(2)) op.to = dtype_from(static_cast<std::int32_t>(to), node.describe());
  return op;
}

ir::Op import_dequantize_linear(NodeReader& node) {
  const std::int64_t to = node.integer("output_dtype", 0);
  if (to != 0 && dtype_from(static_cast<std::int32_t>(to), node.describe()) != node.input(1).dtype)
    throw UnsupportedError(node.describe(), "output_dtype is not the scale's type");
  return ir::DequantizeLinear{.axis = node.integer("axis", 1), .block_size = node.integer("block_size", 0)};
}

ir::Op import_flatten(NodeReader& node) { return ir::Flatten{.axis = node.integer("axis", 1)}; }
ir::Op import_reshape(NodeReader& node) {
  return ir::Reshape{.allow_zero = node.integer("allowzero", 0) != 0};
}

ir::Op import_transpose(NodeReader& node) { return ir::Transpose{.permutation = node.integers("perm")}; }
ir::Op import_concat(NodeReader& node) { return ir::Concat{.axis = node.integer("axis", 1)}; }

// Axes are an attribute before operator set 13, then a constant input.
template <typename Op>
ir::Op import_axes(NodeReader& node) {
  if (node.opset() < 13) return Op{.axes = node.integers("axes")};
  const Op op{.axes = node.integers_input(1, "axes")};
  node.keep_first_of(2);
  return op;
}

// At inference what comes in goes out.
ir::Op import_dropout(NodeReader& node) {
  node.real("ratio", 0.5F);
  node.integer("seed", 0);
  if (node.scalar_input(2, "training_mode", 0.0) != 0.0)
    throw UnsupportedError(node.describe(), "training_mode is set, expected inference");
  node.keep_first_of(3);
  if (node.output_count() > 1) return ir::Dropout{};
  return ir::Identity{};
}

ir::Op import_gather(NodeReader& node) { return ir::Gather{.axis = node.integer("axis", 0)}; }

ir::Op import_slice(NodeReader& node) {
  if (node.opset() < 10)
    return ir::Slice{.starts = node.integers("starts"),
                     .ends = node.integers("ends"),
                     .axes = node.integers("axes"),
                     .steps = {}};
  const ir::Slice op{.starts = node.integers_input(1, "starts"),
                     .ends = node.integers_input(2, "ends"),
                     .axes = node.integers_input(3, "axes"),
                     .steps = node.integers_input(4, "steps")};
  node.keep_first_of(5);
  return op;
}

// Sizes are given, or equal parts are asked for (the last one may be smaller).
ir::Op import_split(NodeReader& node) {
  ir::Split op{.axis = node.integer("axis", 0), .sizes = {}};
  op.sizes = node.opset() < 13 ? node.integers("split") : node.integers_input(1, "split");
  const std::int64_t count =
      node.opset() < 18 ? node.output_count() : node.integer("num_outputs", node.output_count());
  const Shape& x = node.input(0).shape;
  node.keep_first_of(2);
  if (!op.sizes.empty()) return op;
  const std::int64_t dim = x[static_cast<std::size_t>(normalize_axis(op.axis, x.size(), node.describe()))];
  if (dim == kDynamic) throw UnsupportedError(node.describe(), "splits a dimension that is not fixed");
  if (count < 1 || count > node.output_count() || (node.opset() < 18 && dim % count != 0))
    throw InputError(node.describe(), fmt::format("{} parts of {} elements", count, dim));
  const std::int64_t part = (dim + count - 1) / count;
  for (std::int64_t i = 0, rest = dim; i < count; ++i, rest -= op.sizes.back())
    op.sizes.push_back(std::min(part, rest));
  return op;
}

ir::Op import_expand(NodeReader& node) {
  ir::Expand op{.shape = node.dims_input(1, "shape")};
  const Shape& x = node.input(0).shape;
  const std::size_t lead = op.shape.size() - std::min(op.shape.size(), x.size());
  for (std::size_t i = 0; i < op.shape.size(); ++i)
    if (op.shape[i] == kDynamic && i >= lead && x[x.size() - op.shape.size() + i] == kDynamic)
      op.shape[i] = 1;
  if (!is_static(op.shape))
    throw UnsupportedError(node.describe(), "expands to a batch that is not fixed; fix it with --shape");
  node.keep_first_of(2);
  return op;
}

ir::PadMode read_pad_mode(const NodeReader& node) {
  const std::string mode = node.text("mode", "constant");
  if (mode == "constant") return ir::PadMode::constant;
  if (mode == "reflect") return ir::PadMode::reflect;
  if (mode == "edge") return ir::PadMode::edge;
  if (mode == "wrap") return ir::PadMode::wrap;
  throw InputError(node.describe(), fmt::format("mode '{}', expected constant, reflect, edge or wrap", mode));
}

ir::Op import_pad(NodeReader& node) {
  ir::Pad op{.pads = {}, .mode = read_pad_mode(node)};
  if (node.opset() < 11) {
    op.pads = node.integers("pads");
    op.value = node.real("value", 0.0F);
    return op;
  }
  const std::vector<std::int64_t> pads = node.integers_input(1, "pads");
  op.value = node.scalar_input(2, "constant_value", 0.0);
  const std::vector<std::int64_t> axes = node.integers_input(3, "axes");
  const std::size_t rank = node.input(0).shape.size();
  node.keep_first_of(4);
  op.pads = pads;
  if (axes.empty()) return op;
  if (pads.size() != 2 * axes.size())
    throw InputError(node.describe(), fmt::format("{} pads for {} axes", pads.size(), axes.size()));
  op.pads.assign(2 * rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(normalize_axis(axes[i], rank, node.describe()));
    op.pads[axis] = pads[i];
    op.pads[rank + axis] = pads[axes.size() + i];
  }
  return op;
}

template <typename Op>
ir::Op import_reduction(NodeReader& node) {
  const std::int64_t as_input = std::is_same_v<Op, ir::ReduceSum> ? 13 : 18;
  ir::ReducedAxes over{.axes = {}, .keepdims = node.integer("keepdims", 1) != 0};
  if (node.opset() < as_input) {
    over.axes = node.integers("axes");
  } else {
    over.noop_with_empty_axes = node.integer("noop_with_empty_axes", 0) != 0;
    over.axes = node.integers_input(1, "axes");
    node.keep_first_of(2);
  }
  if (!over.axes.empty()) over.noop_with_empty_axes = false;
  return Op{.over = over};
}

DType read_to(const NodeReader& node) {
  const std::int64_t to = node.integer("to", 0);
  return dtype_from(static_cast<std::int32_t>(std::clamp<std::int64_t>(to, 0, INT32_MAX)), node.describe());
}

ir::Op import_cast(NodeReader& node) {
  node.integer("saturate", 1);  // of float8 only
  node.text("round_mode", "");
  return ir::Cast{.to = read_to(node)};
}

ir::Op import_cast_like(NodeReader& node) {
  node.integer("saturate", 1);
  node.text("round_mode", "");
  const DType to = node.input(1).dtype;
  node.keep_first_of(2);
  return ir::Cast{.to = to};
}

ir::Op import_shape(NodeReader& node) {
  return ir::ShapeOf{.start = node.integer("start", 0), .end = node.integer("end", INT64_MAX)};
}

ir::Op import_constant_of_shape(NodeReader& node) {
  const onnx::TensorProto* value = node.tensor("value");
  if (value == nullptr) return ir::ConstantOfShape{};
  return ir::ConstantOfShape{.value = from_proto(*value, node.describe())};
}

ir::Op import_instance_normalization(NodeReader& node) {
  return ir::InstanceNormalization{.epsilon = node.real("epsilon", 1e-5F)};
}

ir::Op import_layer_normalization(NodeReader& node) {
  node.integer("stash_type", 1);
  return ir::LayerNormalization{.axis = node.integer("axis", -1),
                                .epsilon = node.real("epsilon", 1e-5F),
                                .outputs = std::clamp(node.output_count(), 1, 3)};
}

ir::Op import_rms_normalization(NodeReader& node) {
  node.integer("stash_type", 1);
  return ir::RMSNormalization{.axis = node.integer("axis", -1), .epsilon = node.real("epsilon", 1e-5F)};
}

ir::Op import_lrn(NodeReader& node) {
  return ir::LRN{.size = node.integer("size", 0),
                 .alpha = node.real("alpha", 1e-4F),
                 .beta = node.real("beta", 0.75F),
                 .bias = node.real("bias", 1.0F)};
}

ir::Coordinates read_coordinates(const NodeReader& node) {
  const std::string mode = node.text("coordinate_transformation_mode", "half_pixel");
  if (mode == "half_pixel") return ir::Coordinates::half_pixel;
  if (mode == "pytorch_half_pixel") return ir::Coordinates::pytorch_half_pixel;
  if (mode == "half_pixel_symmetric") return ir::Coordinates::half_pixel_symmetric;
  if (mode == "asymmetric") return ir::Coordinates::asymmetric;
  if (mode == "align_corners") return ir::Coordinates::align_corners;
  throw UnsupportedError(node.describe(), fmt::format("coordinate_transformation_mode '{}'", mode));
}

ir::NearestMode read_nearest(const NodeReader& node) {
  const std::string mode = node.text("nearest_mode", "round_prefer_floor");
  if (mode == "round_prefer_floor") return ir::NearestMode::round_prefer_floor;
  if (mode == "round_prefer_ceil") return ir::NearestMode::round_prefer_ceil;
  if (mode == "floor") return ir::NearestMode::floor;
  if (mode == "ceil") return ir::NearestMode::ceil;
  throw InputError(node.describe(), fmt::format("nearest_mode '{}'", mode));
}

bool read_linear(const NodeReader& node) {
  const std::string mode = node.text("mode", "nearest");
  if (mode != "nearest" && mode != "linear" && mode != "bilinear")
    throw UnsupportedError(node.describe(), fmt::format("mode '{}', expected nearest or linear", mode));
  return mode != "nearest";
}

// Operator sets up to 10: ⌊·⌋ of o/scale.
ir::Op import_upsample(NodeReader& node) {
  ir::Resize op{.scales = {}, .linear = read_linear(node)};
  op.coordinates = ir::Coordinates::asymmetric;
  op.nearest = ir::NearestMode::floor;
  op.scales = node.opset() < 9 ? node.reals("scales") : node.reals_input(1, "scales");
  node.keep_first_of(2);
  return op;
}

// Sizes or scales of the dimensions in `axes`, or of all.
template <typename T>
std::vector<T> by_dimension(const NodeReader& node, const std::vector<T>& given,
                            const std::vector<std::int64_t>& axes, std::vector<T> all) {
  if (given.empty() || axes.empty()) return given;
  if (given.size() != axes.size())
    throw InputError(node.describe(), fmt::format("{} sizes for {} axes", given.size(), axes.size()));
  for (std::size_t i = 0; i < axes.size(); ++i)
    all[static_cast<std::size_t>(normalize_axis(axes[i], all.size(), node.describe()))] = given[i];
  return all;
}

ir::Op import_resize(NodeReader& node) {
  if (node.opset() < 11) return import_upsample(node);
  if (node.integer("antialias", 0) != 0 || node.integer("exclude_outside", 0) != 0 ||
      node.text("keep_aspect_ratio_policy", "stretch") != "stretch")
    throw UnsupportedError(node.describe(), "antialias, exclude_outside or keep_aspect_ratio_policy is set");
  node.real("cubic_coeff_a", -0.75F);
  node.real("extrapolation_value", 0.0F);
  ir::Resize op{
      .linear = read_linear(node), .coordinates = read_coordinates(node), .nearest = read_nearest(node)};
  const std::vector<std::int64_t> axes = node.integers("axes");
  const Shape& x = node.input(0).shape;
  op.sizes = by_dimension(node, node.dims_input(3, "sizes"), axes, x);
  if (op.sizes.empty())
    op.scales = by_dimension(node, node.reals_input(2, "scales"), axes, std::vector<float>(x.size(), 1.0F));
  node.keep_first_of(4);
  return op;
}

template <typename Op>
ir::Op import_alpha(NodeReader& node) {
  return Op{.alpha = node.real("alpha", Op{}.alpha)};
}

ir::Op import_selu(NodeReader& node) {
  return ir::Selu{.alpha = node.real("alpha", ir::Selu{}.alpha),
                  .gamma = node.real("gamma", ir::Selu{}.gamma)};
}

ir::Op import_hard_sigmoid(NodeReader& node) {
  return ir::HardSigmoid{.alpha = node.real("alpha", 0.2F), .beta = node.real("beta", 0.5F)};
}

ir::Op import_gelu(NodeReader& node) {
  const std::string mode = node.text("approximate", "none");
  if (mode != "none" && mode != "tanh")
    throw InputError(node.describe(), fmt::format("approximate '{}', expected none or tanh", mode));
  return ir::Gelu{.tanh_approximation = mode == "tanh"};
}

template <typename Op>
ir::Op import_plain(NodeReader&) {
  return Op{};
}

}  // namespace

Tensor constant_of(onnx::NodeProto& node, ExternalData& files) {
  const std::string where = fmt::format("Constant '{}'", node.output(0));
  if (node.attribute_size() != 1)
    throw InputError(where, fmt::format("{} values, expected one", node.attribute_size()));
  onnx::AttributeProto& value = *node.mutable_attribute(0);
  const std::string& name = value.name();
  if (name == "value" && value.has_t()) return take_tensor(*value.mutable_t(), files, where);
  if (name == "value_float") return Tensor::from<float>({}, std::vector<float>{value.f()});
  if (name == "value_int") return Tensor::from<std::int64_t>({}, std::vector<std::int64_t>{value.i()});
  if (name == "value_floats")
    return Tensor::from<float>({value.floats_size()},
                               std::vector<float>(value.floats().begin(), value.floats().end()));
  if (name == "value_ints")
    return Tensor::from<std::int64_t>({value.ints_size()},
                                      std::vector<std::int64_t>(value.ints().begin(), value.ints().end()));
  throw UnsupportedError(where, fmt::format("attribute {}, expected a tensor or numbers", name));
}

Importer find_importer(std::string_view op_type) {
  static const std::unordered_map<std::string_view, Importer> kImporters = {
      {"Abs", import_plain<ir::Abs>},
      {"Add", import_plain<ir::Add>},
      {"ArgMax", import_arg_max},
      {"AveragePool", import_average_pool},
      {"BatchNormalization", import_batch_normalization},
      {"Cast", import_cast},
      {"CastLike", import_cast_like},
      {"Clip", import_clip},
      {"Concat", import_concat},
      {"ConstantOfShape", import_constant_of_shape},
      {"Conv", import_conv},
      {"ConvInteger", import_integer_conv<ir::ConvInteger>},
      {"ConvTranspose", import_conv_transpose},
      {"DequantizeLinear", import_dequantize_linear},
      {"Div", import_plain<ir::Div>},
      {"Dropout", import_dropout},
      {"DynamicQuantizeLinear", import_plain<ir::DynamicQuantizeLinear>},
      {"Elu", import_alpha<ir::Elu>},
      {"Equal", import_plain<ir::Equal>},
      {"Erf", import_plain<ir::Erf>},
      {"Exp", import_plain<ir::Exp>},
      {"Expand", import_expand},
      {"Flatten", import_flatten},
      {"Gather", import_gather},
      {"Gelu", import_gelu},
      {"Gemm", import_gemm},
      {"GlobalAveragePool", import_plain<ir::GlobalAveragePool>},
      {"GlobalMaxPool", import_plain<ir::GlobalMaxPool>},
      {"Greater", import_plain<ir::Greater>},
      {"GreaterOrEqual", import_plain<ir::GreaterOrEqual>},
      {"Hardmax", import_scoring<ir::Hardmax>},
      {"HardSigmoid", import_hard_sigmoid},
      {"HardSwish", import_plain<ir::HardSwish>},
      {"Identity", import_plain<ir::Identity>},
      {"InstanceNormalization", import_instance_normalization},
      {"LayerNormalization", import_layer_normalization},
      {"LeakyRelu", import_alpha<ir::LeakyRelu>},
      {"Less", import_plain<ir::Less>},
      {"LessOrEqual", import_plain<ir::LessOrEqual>},
      {"Log", import_plain<ir::Log>},
      {"LogSoftmax", import_scoring<ir::LogSoftmax>},
      {"LRN", import_lrn},
      {"MatMul", import_plain<ir::MatMul>},
      {"MatMulInteger", import_plain<ir::MatMulInteger>},
      {"Max", import_plain<ir::Max>},
      {"MaxPool", import_max_pool},
      {"Mean", import_plain<ir::Mean>},
      {"Min", import_plain<ir::Min>},
      {"Mul", import_plain<ir::Mul>},
      {"Neg", import_plain<ir::Neg>},
      {"Pad", import_pad},
      {"Pow", import_plain<ir::Pow>},
      {"PRelu", import_plain<ir::PRelu>},
      {"QLinearConv", import_integer_conv<ir::QLinearConv>},
      {"QLinearMatMul", import_plain<ir::QLinearMatMul>},
      {"QuantizeLinear", import_quantize_linear},
      {"Range", import_plain<ir::Range>},
      {"Reciprocal", import_plain<ir::Reciprocal>},
      {"ReduceMax", import_reduction<ir::ReduceMax>},
      {"ReduceMean", import_reduction<ir::ReduceMean>},
      {"ReduceMin", import_reduction<ir::ReduceMin>},
      {"ReduceSum", import_reduction<ir::ReduceSum>},
      {"Relu", import_plain<ir::Relu>},
      {"Reshape", import_reshape},
      {"Resize", import_resize},
      {"RMSNormalization", import_rms_normalization},
      {"Round", import_plain<ir::Round>},
      {"Selu", import_selu},
      {"Shape", import_shape},
      {"Sigmoid", import_plain<ir::Sigmoid>},
      {"Size", import_plain<ir::Size>},
      {"Slice", import_slice},
      {"Softmax", import_scoring<ir::Softmax>},
      {"Split", import_split},
      {"Sqrt", import_plain<ir::Sqrt>},
      {"Squeeze", import_axes<ir::Squeeze>},
      {"Sub", import_plain<ir::Sub>},
      {"Sum", import_plain<ir::Sum>},
      {"Swish", import_alpha<ir::Swish>},
      {"Tanh", import_plain<ir::Tanh>},
      {"Transpose", import_transpose},
      {"Unsqueeze", import_axes<ir::Unsqueeze>},
      {"Upsample", import_upsample},
      {"Where", import_plain<ir::Where>},
  };
  const auto found = kImporters.find(op_type);
  return found == kImporters.end() ? nullptr : found->second;
}

}  // namespace halftone::onnx_io
