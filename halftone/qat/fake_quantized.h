// A float network in training as it will run in integers: weights, biases and activations pass through the steps of its parameters.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halftone/qat/quantizers/activation_quantizer.h"
#include "halftone/qat/quantizers/weight_quantizer.h"
#include "halftone/qat/torch_graph.h"
#include "halftone/quant/parameters.h"

namespace halftone::qat {

class FakeQuantized : public Passage {
 public:
  // `network` and `parameters` as ptq::Result has them: each constant that a linear node reads is trained from the float weights.
  // Throws UnsupportedError for weights without steps of their own (check_finetuning tells earlier, of a recipe).
  FakeQuantized(const ir::Graph& network, const quant::Parameters& parameters, const Quantizer& quantizer, const Ranks& ranks);
  ~FakeQuantized() override;

  // Which statistics normalize layers that are normalized.
  enum class Statistics {
    running,
    of_batch,
    of_other_ranks,  // of a batch without rows of this rank
  };
  // From the next run on: it learns, with this noise; none: it does not.
  void learn(std::optional<WeightRun> run, Statistics statistics = Statistics::running) {
    run_ = run;
    statistics_ = statistics;
  }
  // Normalizes the layers of can_normalize from now on (folded_normalization.h). `rows` show the statistics of the start, some at a time:
  // by running ones the network computes what it did.
  void normalize(const TorchGraph& graph, std::span<const torch::Tensor> rows);

  torch::Tensor operand(std::size_t node, std::size_t input, const torch::Tensor& given) override;
  torch::Tensor result(ir::ValueId id, const torch::Tensor& computed) override;
  void begin() override;

  // Named by the layer or the value.
  std::vector<NamedTensor> tensors() const;
  // Added to the loss of the last run; undefined: nothing.
  torch::Tensor penalty() const;
  void freeze_oscillating(double share);
  // The network with the trained weights and biases, and its parameters with the trained steps and the integers at them.
  void write_to(ir::Graph& network, quant::Parameters& parameters) const;

 private:
  struct Layer;
  bool is_by_batch(const Layer& layer) const;
  void find_normalized(const ir::Graph& network);
  torch::Tensor normalized(Layer* layer, const torch::Tensor& computed);
  std::unique_ptr<Layer> layer_of(const ir::Graph& network, std::size_t node, const quant::Parameters& parameters, const Quantizer& quantizer) const;

  std::vector<std::unique_ptr<Layer>> layers_;                         // by node, none where nothing is trained
  std::vector<std::shared_ptr<ActivationQuantizer>> activations_;      // by value; one for all that share a scale
  std::vector<std::size_t> classes_;                                   // the first value of each that share a scale
  std::vector<std::string> names_;                                     // by value
  std::vector<Layer*> normalized_;                                     // by value that a layer computes that can be normalized
  const Ranks& ranks_;
  std::optional<WeightRun> run_;
  Statistics statistics_ = Statistics::running;
  bool measures_ = false;
};

// Whether a layer can be normalized by the statistics of batches: it has a bias, and computes no logits, which compare classes with each
// other. Its steps have to be by channel.
bool can_normalize(const ir::Graph& network, const ir::Node& node);

}  // namespace halftone::qat
