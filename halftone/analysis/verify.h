// Whether the integers of every layer are the ones the arithmetic says. docs/arithmetic.md section 8.
#pragma once

#include <string>
#include <vector>

#include "halftone/calibration/batches.h"
#include "halftone/ir/executor.h"
#include "halftone/ir/graph.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::analysis {

// One integer value of the network, over all samples.
struct LayerComparison {
  std::string name;
  std::int64_t compared = 0;
  std::int64_t different = 0;  // integer and simulation are not the same integer
  std::int64_t unexplained =
      0;  // ... and the real value lies nearer to another integer than rounding can move it
  std::int64_t max_difference = 0;
  double tolerance = 0.0;  // in steps: how far float32 and the multiplier's mantissa may move the real value
  std::int64_t first_row = -1;  // of the first difference (an unexplained one, if any)
  std::int64_t first_element = -1;
};

// One output of the network, when nothing is reset between layers.
struct OutputComparison {
  std::string name;
  std::int64_t compared = 0;
  std::int64_t different = 0;
  double max_difference = 0.0;
  std::int64_t predictions_different = 0;  // rows whose largest number stands at another place
};

// Another way of running the same integers, "avx512vnni, 2 threads".
struct Engine {
  std::string name;
  const ir::Executor& executor;
};

// Its bytes beside those of the integers: every integer value, and the outputs of a run in which no value is kept.
struct EngineComparison {
  std::string name;
  std::int64_t compared = 0;
  std::int64_t different = 0;
  std::string first_value;  // that differs; empty: none
};

struct Verification {
  std::vector<LayerComparison> layers;    // in the order of the network
  std::vector<OutputComparison> outputs;  // of the graph, in its order
  std::vector<EngineComparison> engines;
  std::int64_t samples = 0;
  std::int64_t compared = 0;
  std::int64_t different = 0;
  std::int64_t unexplained = 0;
  std::int64_t end_to_end_different = 0;   // when nothing is reset between layers
  std::int64_t predictions_different = 0;  // of the first output
  const LayerComparison* worst() const;  // most unexplained, then most different; nullptr when all are equal
};

// Runs the integers and the simulation (the float interpreter on the file's graph, operators on integers and
// QONNX nodes taken as Dequantize → op → Quantize) side by side. Each layer of the simulation is given the
// integers' inputs, so that a difference is that layer's own. A difference is explained when the integer is a
// nearest one to the simulated real value, within `tolerance`: then it is a tie that float32 or the
// multiplier's mantissa decided otherwise. `engines` have to give the integers' bytes.
Verification verify(const ir::Graph& file, const ir::Executor& integers, const qgraph::QuantizedGraph& graph,
                    const calibration::Samples& samples, const calibration::BatchOptions& options,
                    const std::vector<Engine>& engines = {});
Verification verify(const ir::Graph& file, const ir::Executor& integers, const qgraph::QuantizedGraph& graph,
                    const data::Dataset& dataset, const data::Preprocessing& preprocessing,
                    const calibration::BatchOptions& options);

// How far, in output steps, the simulated real value of a node may lie from the exact one: the float32
// roundings of its inputs, sum (bound·M) and output, 2^−21 of each; and where the node has a multiplier, its
// mantissa's rounding, 2^−(B−1) of the output's range (for Add, of the operands').
double rounding_tolerance(const qgraph::Node& node, const qgraph::QuantizedGraph& graph);

}  // namespace halftone::analysis
