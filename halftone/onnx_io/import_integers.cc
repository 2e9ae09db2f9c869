#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/onnx_io/importers.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

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

template <typename Op>
ir::Op import_integer_conv(NodeReader& node) {
  return Op{.conv = std::get<ir::Conv>(import_conv(node))};
}

// An operator on integers with the attributes of the float one.
template <typename Op, Importer import_inner>
ir::Op import_quantized(NodeReader& node) {
  if (node.integer("channels_last", 0) != 0)
    throw UnsupportedError(node.describe(), "channels_last is set, expected channels in dimension 1");
  Op op;
  op.op = std::get<decltype(op.op)>(import_inner(node));
  return op;
}

ir::Op import_quant(NodeReader& node) {
  const std::string mode = node.text("rounding_mode", "ROUND");
  if (mode != "ROUND" && mode != "FLOOR")
    throw UnsupportedError(node.describe(), fmt::format("rounding_mode '{}', expected ROUND or FLOOR", mode));
  return ir::Quant{.is_signed = node.integer("signed", 1) != 0,
                   .narrow = node.integer("narrow", 0) != 0,
                   .rounding = mode == "FLOOR" ? numeric::Rounding::floor : numeric::Rounding::half_even};
}

}  // namespace

std::span<const ImporterRow> integer_importers() {
  static constexpr ImporterRow kRows[] = {
      {"com.microsoft.QGemm", import_quantized<ir::QGemm, import_gemm>},
      {"com.microsoft.QLinearAdd", import_plain<ir::QLinearAdd>},
      {"com.microsoft.QLinearAveragePool", import_quantized<ir::QLinearAveragePool, import_average_pool>},
      {"com.microsoft.QLinearConcat", import_quantized<ir::QLinearConcat, import_concat>},
      {"com.microsoft.QLinearGlobalAveragePool",
       import_quantized<ir::QLinearGlobalAveragePool, import_plain<ir::GlobalAveragePool>>},
      {"com.microsoft.QLinearLeakyRelu", import_quantized<ir::QLinearLeakyRelu, import_alpha<ir::LeakyRelu>>},
      {"com.microsoft.QLinearMul", import_plain<ir::QLinearMul>},
      {"com.microsoft.QLinearSigmoid", import_plain<ir::QLinearSigmoid>},
      {"ConvInteger", import_integer_conv<ir::ConvInteger>},
      {"DequantizeLinear", import_dequantize_linear},
      {"DynamicQuantizeLinear", import_plain<ir::DynamicQuantizeLinear>},
      {"MatMulInteger", import_plain<ir::MatMulInteger>},
      {"QLinearConv", import_integer_conv<ir::QLinearConv>},
      {"QLinearMatMul", import_plain<ir::QLinearMatMul>},
      {"qonnx.custom_op.general.Quant", import_quant},
      {"QuantizeLinear", import_quantize_linear},
  };
  return kRows;
}

}  // namespace halftone::onnx_io
