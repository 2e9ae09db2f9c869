#include "halftone/onnx_io/import_op.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <unordered_map>

#include "halftone/base/error.h"

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

ir::Op import_conv(NodeReader& node) {
  return ir::Conv{.window = read_window(node), .groups = node.integer("group", 1)};
}

ir::Op import_max_pool(NodeReader& node) {
  ir::MaxPool op{.window = read_window(node)};
  op.window.ceil_mode = node.integer("ceil_mode", 0) != 0;
  node.integer("storage_order", 0);  // of the second output, which is not read
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
  if (std::isnan(node.opset() < 11 ? node.real("min", 0) + node.real("max", 0) : 0))
    throw InputError(node.describe(), "bound is not a number (NaN)");
  if (node.opset() < 11)
    return ir::Clip{.lo = node.real("min", -kInfinity), .hi = node.real("max", kInfinity)};
  const ir::Clip op{.lo = node.scalar_input(1, "min", -kInfinity),
                    .hi = node.scalar_input(2, "max", kInfinity)};
  node.keep_first_of(3);
  return op;
}

ir::Op import_batch_normalization(NodeReader& node) {
  node.real("momentum", 0.9F);
  if (node.integer("training_mode", 0) != 0)
    throw UnsupportedError(node.describe(), "training_mode is set, expected inference");
  if (node.integer("spatial", 1) != 1)
    throw UnsupportedError(node.describe(), "spatial is 0, expected statistics by channel");
  return ir::BatchNormalization{.epsilon = node.real("epsilon", 1e-5F)};
}

ir::Op import_softmax(NodeReader& node) {
  const bool to_end = node.opset() < 13;
  return ir::Softmax{.axis = node.integer("axis", to_end ? 1 : -1), .to_end = to_end};
}

template <typename Op>
ir::Op import_linear_quantization(NodeReader& node) {
  if (node.integer("block_size", 0) != 0)
    throw UnsupportedError(node.describe(), "block_size is set, expected scales by tensor or axis");
  node.integer("saturate", 1);  // of float8 only
  if (node.integer("output_dtype", 0) != 0 && !node.has_input(2))
    throw UnsupportedError(node.describe(), "output_dtype without a zero point");
  node.integer("precision", 0);
  return Op{.axis = node.integer("axis", 1)};
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
  node.keep_first_of(3);
  return ir::Identity{};
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

Importer find_importer(std::string_view op_type) {
  static const std::unordered_map<std::string_view, Importer> kImporters = {
      {"Abs", import_plain<ir::Abs>},
      {"Add", import_plain<ir::Add>},
      {"AveragePool", import_average_pool},
      {"BatchNormalization", import_batch_normalization},
      {"Clip", import_clip},
      {"Concat", import_concat},
      {"Conv", import_conv},
      {"DequantizeLinear", import_linear_quantization<ir::DequantizeLinear>},
      {"Div", import_plain<ir::Div>},
      {"Dropout", import_dropout},
      {"Elu", import_alpha<ir::Elu>},
      {"Erf", import_plain<ir::Erf>},
      {"Exp", import_plain<ir::Exp>},
      {"Flatten", import_flatten},
      {"Gelu", import_gelu},
      {"Gemm", import_gemm},
      {"GlobalAveragePool", import_plain<ir::GlobalAveragePool>},
      {"GlobalMaxPool", import_plain<ir::GlobalMaxPool>},
      {"HardSigmoid", import_hard_sigmoid},
      {"HardSwish", import_plain<ir::HardSwish>},
      {"Identity", import_plain<ir::Identity>},
      {"LeakyRelu", import_alpha<ir::LeakyRelu>},
      {"Log", import_plain<ir::Log>},
      {"MatMul", import_plain<ir::MatMul>},
      {"MaxPool", import_max_pool},
      {"Mul", import_plain<ir::Mul>},
      {"Neg", import_plain<ir::Neg>},
      {"PRelu", import_plain<ir::PRelu>},
      {"QuantizeLinear", import_linear_quantization<ir::QuantizeLinear>},
      {"Reciprocal", import_plain<ir::Reciprocal>},
      {"Relu", import_plain<ir::Relu>},
      {"Reshape", import_reshape},
      {"Round", import_plain<ir::Round>},
      {"Selu", import_selu},
      {"Sigmoid", import_plain<ir::Sigmoid>},
      {"Softmax", import_softmax},
      {"Sqrt", import_plain<ir::Sqrt>},
      {"Squeeze", import_axes<ir::Squeeze>},
      {"Sub", import_plain<ir::Sub>},
      {"Swish", import_alpha<ir::Swish>},
      {"Tanh", import_plain<ir::Tanh>},
      {"Transpose", import_transpose},
      {"Unsqueeze", import_axes<ir::Unsqueeze>},
  };
  const auto found = kImporters.find(op_type);
  return found == kImporters.end() ? nullptr : found->second;
}

}  // namespace halftone::onnx_io
