// The float network and the quantized one side by side over samples, one node after the other.
#pragma once

#include <vector>

#include "halftone/calibration/calibrate.h"
#include "halftone/quant/parameters.h"

namespace halftone::ptq {

// A value of all samples, batch by batch.
using Batches = std::vector<Tensor>;

class Walk {
 public:
  // At most as many samples, evenly spread, as `max_samples` and what two networks' values may take of memory
  // (some 4 GiB) allow.
  Walk(const ir::Graph& graph, const calibration::Runs& runs, std::int64_t max_samples);

  const ir::Graph& graph() const { return graph_; }
  int threads() const { return threads_; }
  // Values of the network's inputs and of nodes so far, as long as a node to come reads it.
  const Batches& real(ir::ValueId id) const { return real_[static_cast<std::size_t>(id)]; }
  const Batches& quantized(ir::ValueId id) const { return quantized_[static_cast<std::size_t>(id)]; }

  // Quantizes the network's inputs.
  void start(const quant::Parameters& parameters);
  // The node's outputs in the float network.
  void run_real(std::size_t n);
  // Its first output in the quantized network, with these weights and biases, before that is quantized.
  Batches linear_output(std::size_t n, const Tensor& weights, const Tensor* bias) const;
  // Its outputs in the quantized network; with weights, `computed` is the first one.
  void run_quantized(std::size_t n, const quant::Parameters& parameters, Batches computed);
  // Forgets what no later node reads.
  void finish(std::size_t n);

 private:
  std::vector<Batches> run(const ir::Node& node, const std::vector<Batches>& values,
                           const std::vector<const Tensor*>& constants) const;
  std::vector<const Tensor*> constants_of(const ir::Node& node) const;
  void store(ir::ValueId id, Batches computed, const quant::Parameters& parameters);

  const ir::Graph& graph_;
  calibration::MakeExecutor make_executor_;
  int threads_;
  std::vector<Batches> real_;       // by value
  std::vector<Batches> quantized_;  // by value
  std::vector<std::size_t> last_reader_;
};

}  // namespace halftone::ptq
