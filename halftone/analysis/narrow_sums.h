// Networks whose layers sum products of integers in an accumulator of few bits: for study, to show what it
// costs. docs/arithmetic.md section 2.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "halftone/ir/executor.h"
#include "halftone/ir/graph.h"
#include "halftone/numeric/fixed_point.h"
#include "halftone/calibration/statistics.h"

namespace halftone::analysis {

// By name of the value that a layer reads: Q(8, fl) with the largest fl <= 31 for which everything seen of it
// fits. Throws InputError naming a value without statistics.
using InputFormats = std::map<std::string, numeric::FixedPoint, std::less<>>;
InputFormats input_formats(const ir::Graph& graph, const calibration::StatisticsTable& seen);

struct NarrowSums {
  numeric::FixedPoint weights;                               // of every layer
  numeric::Overflow overflow = numeric::Overflow::saturate;  // of weights and of sums; inputs saturate
  int bits = 16;                                             // of the accumulator, 8 to 24
};

// Throws UnsupportedError naming a layer that is no Conv, MatMul or plain Gemm (no transA, alpha and beta 1).
void check_narrow_layers(const ir::Graph& graph);

// The float network with, in place of what each layer computes,
//   y = a_K·2^−(fl_w + fl_x) + b,   a_0 = 0,   a_k = overflow(a_(k−1) + q_x[k]·q_w[k]),
// k in the order of the layer's weights (channel, row, column), q_x and q_w fixed point, padding being 0, b
// float. `network` runs `graph`; several of these may share it.
class NarrowNetwork : public ir::Executor {
 public:
  NarrowNetwork(const ir::Graph& graph, const NarrowSums& sums, const InputFormats& inputs,
                std::shared_ptr<const ir::Executor> network);
  ~NarrowNetwork() override;
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit = {}) const override;

 private:
  struct Layer;
  std::map<std::string, Layer, std::less<>> layers_;  // by name of what they compute
  std::shared_ptr<const ir::Executor> network_;
};

}  // namespace halftone::analysis
