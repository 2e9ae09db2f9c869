// A layer of a network in integers as a product on the array.
#pragma once

#include <string>

#include "halftone/qgraph/quantized_graph.h"
#include "halftone/rtl/product.h"

namespace halftone::rtl {

// A Gemm, a MatMul with constant weights, or a Conv of one group: rows are samples or the places of windows, depth a window's elements, columns
// channels. Inputs enter as q − offset, in 8 signed bits, with (offset − z)·Σw added to the bias.
class LayerProduct {
 public:
  // Throws UsageError for a name that the graph lacks, UnsupportedError for what the array does not do: groups, sums beyond 32 bits, more than
  // 8 bits, mode onnx, multipliers above 1 that shift left.
  LayerProduct(const qgraph::QuantizedGraph& graph, const std::string& layer);

  const qgraph::Node& node() const { return *node_; }
  // Widths that the layer's sums and multipliers need, and memories for products of `rows` rows.
  ArrayGeometry geometry(ArrayGeometry wanted, std::int64_t rows) const;
  std::int64_t depth() const;
  std::int64_t cols() const;
  // For the layer's input x.
  Product product(const Tensor& x) const;
  // [rows][cols] in the layout and type of `like`, the layer's output.
  Tensor output(const std::vector<std::int32_t>& results, const Tensor& like) const;

 private:
  const qgraph::Node* node_;
  const qgraph::Linear* linear_;
  std::int32_t offset_ = 0;
  std::int32_t x_zero_point_ = 0;
  Product constants_;  // all but the rows of a
  int mantissa_ = 32;
};

}  // namespace halftone::rtl
