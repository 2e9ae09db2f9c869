// Every integer of a network in runs over samples: values and sums.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "halftone/qgraph/interpreter.h"
#include "halftone/testbench/integer_array.h"

namespace halftone::testbench {

// Bits of a node's sums in two's complement, for any inputs that its formats allow; nothing for a node without sums.
std::optional<int> sum_bits(const qgraph::QuantizedGraph& graph, const qgraph::Node& node);

class Recorder {
 public:
  explicit Recorder(const qgraph::QuantizedGraph& graph);

  // Runs `rows` samples and keeps the integers of the first `count`, behind those of earlier runs.
  void run(std::span<const Tensor> inputs, std::int64_t rows, std::int64_t count);

  // A value with a scale.
  IntegerArray value(qgraph::ValueId id) const;
  // Sums in the shape of the node's output; nothing for a node without.
  std::optional<IntegerArray> sums(const qgraph::Node& node) const;
  // Which of an AveragePool's counts each window has, by place in a plane of its output.
  std::optional<IntegerArray> count_index(const qgraph::Node& node) const;

 private:
  struct Kept {
    std::vector<Tensor> sums;
    std::vector<std::int32_t> entry;  // of the first plane
    Shape plane;
  };
  void keep(const qgraph::Node& node, const qgraph::Sums& sums);

  qgraph::Interpreter interpreter_;
  std::map<std::string, qgraph::ValueId, std::less<>> ids_;  // of values with a scale
  std::set<qgraph::ValueId> constants_;                     // the same in every run
  std::vector<std::vector<Tensor>> values_;                 // by value: of each run
  std::map<std::string, Kept> sums_;                        // by node
  std::int64_t rows_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace halftone::testbench
