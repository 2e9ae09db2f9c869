// A network in integers as oneDNN runs it, to time the engine against: u8 activations, s8 weights, s32 biases, output scales by channel;
// ReLU and the sum of a residual inside the convolution before it; layouts as oneDNN likes them best.
//
// Only times can be compared: shapes, types and multiply-adds are the network's, numbers are not. The peer leaves out what oneDNN would pay for:
// zero points, rounding modes, upper bounds of a Clip, changes of scale in pools, and the function of a table behind a layer, in whose
// place a ReLU stands. On CPUs without VNNI, oneDNN's sums of two products saturate at 16 bits.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "halftone/peers/primitive.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::peers {

struct OnednnOptions {
  std::int64_t batch = 1;
  int threads = 1;  // OpenMP's, while it plans and runs
};

// From floats to floats in memory that stays. One run at a time.
class OnednnInt8 {
 public:
  // Throws UnsupportedError naming the node that oneDNN has no primitive for, and where the program is built without oneDNN.
  explicit OnednnInt8(const qgraph::QuantizedGraph& graph, const OnednnOptions& options = {});
  OnednnInt8(OnednnInt8&&) noexcept;
  ~OnednnInt8();

  void run();
  // Row-major, of all samples; in the graph's order.
  std::span<float> input(std::size_t i);
  std::span<const float> output(std::size_t i) const;
  // In the order in which they run.
  const std::vector<Primitive>& primitives() const;

 private:
  struct Network;
  std::unique_ptr<Network> network_;
};

}  // namespace halftone::peers
