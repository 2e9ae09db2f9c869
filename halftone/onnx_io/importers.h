// The importers: small functions that make an op of a node, in tables by subject; find_importer joins them.
#pragma once

#include <span>

#include "halftone/onnx_io/import_op.h"

namespace halftone::onnx_io {

// An ONNX operator's name, behind its domain where that is not ONNX's own, and its importer.
struct ImporterRow {
  std::string_view op_type;
  Importer importer;
};

std::span<const ImporterRow> window_importers();         // convolutions, pools, matrix products
std::span<const ImporterRow> elementwise_importers();    // functions of one, two and more operands
std::span<const ImporterRow> normalization_importers();  // statistics, scores and reductions
std::span<const ImporterRow> move_importers();           // elements in other places, shapes and types
std::span<const ImporterRow> integer_importers();        // quantizing, and operators on integers

// An op without attributes.
template <typename Op>
ir::Op import_plain(NodeReader&) {
  return Op{};
}

// An op whose attribute is alpha.
template <typename Op>
ir::Op import_alpha(NodeReader& node) {
  return Op{.alpha = node.real("alpha", Op{}.alpha)};
}

// Importers of operators that have one on integers too.
ir::Op import_conv(NodeReader& node);
ir::Op import_average_pool(NodeReader& node);
ir::Op import_gemm(NodeReader& node);
ir::Op import_concat(NodeReader& node);

}  // namespace halftone::onnx_io
