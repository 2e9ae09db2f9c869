#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/onnx_io/importers.h"
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

}  // namespace

ir::Op import_conv(NodeReader& node) {
  return ir::Conv{.window = read_window(node), .groups = node.integer("group", 1)};
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

std::span<const ImporterRow> window_importers() {
  static constexpr ImporterRow kRows[] = {
      {"AveragePool", import_average_pool},
      {"Conv", import_conv},
      {"ConvTranspose", import_conv_transpose},
      {"Gemm", import_gemm},
      {"GlobalAveragePool", import_plain<ir::GlobalAveragePool>},
      {"GlobalMaxPool", import_plain<ir::GlobalMaxPool>},
      {"MatMul", import_plain<ir::MatMul>},
      {"MaxPool", import_max_pool},
  };
  return kRows;
}

}  // namespace halftone::onnx_io
