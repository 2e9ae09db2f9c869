// Two operands read with broadcasting.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/base/tensor.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/numeric/quant_params.h"

namespace halftone::qgraph {

// Element i of the result takes a[index_a[i]] and b[index_b[i]].
struct OperandPair {
  OperandPair(const Tensor& x, const Tensor& y)
      : shape(ir::broadcast_shape(x.shape(), y.shape())),
        index_a(ir::broadcast_index(x.shape(), shape)),
        index_b(ir::broadcast_index(y.shape(), shape)),
        a(numeric::to_int32(x)),
        b(numeric::to_int32(y)) {}

  Shape shape;
  std::vector<std::int64_t> index_a;
  std::vector<std::int64_t> index_b;
  std::vector<std::int32_t> a;
  std::vector<std::int32_t> b;
};

}  // namespace halftone::qgraph
