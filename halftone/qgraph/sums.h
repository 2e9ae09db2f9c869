// The sums of a node before they are rounded to integers of its output. docs/arithmetic.md sections 4, 6 and 7.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "halftone/base/tensor.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::qgraph {

struct Sums {
  Shape shape;                      // of the output
  std::vector<std::int64_t> acc;    // one for each of its elements, its bias added
  std::int64_t inner = 1;           // sum i has the requantizer's entry (i / inner) % entries,
  std::vector<std::int32_t> entry;  // or, of an AveragePool, this one
};

// `w` are the layer's centred weights.
Sums sums_of(const Gemm& op, std::span<const std::int32_t> w, const Tensor& x);
Sums sums_of(const Conv& op, std::span<const std::int32_t> w, const Tensor& x);
Sums sums_of(const AveragePool& op, const Tensor& x);
Sums sums_of(const Add& op, const Tensor& a, const Tensor& b);  // of products with its multipliers
Sums sums_of(const Mul& op, const Tensor& a, const Tensor& b);
Sums sums_of(const Requantize& op, const Tensor& x);

// The output's integers.
std::vector<std::int32_t> requantized(const Sums& sums, const Requantizer& requantizer);

// The requantizer of a node that has one; nullptr of others.
const Requantizer* requantizer_of(const Op& op);

// [N, channels, out…] for an input of one or two spatial dimensions.
Shape window_shape(const Shape& x, std::int64_t channels, const ir::PlaneAxes& axes);

// A bound on |sum| for any integers that the inputs' formats allow. Nothing for a node without sums, as in mode onnx Add, Mul and some
// pools are.
std::optional<std::int64_t> bound_of_sums(const QuantizedGraph& graph, const Node& node);

}  // namespace halftone::qgraph
