// A float network in training as it will run in integers: weights, biases and activations pass through the steps of its parameters.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halftone/qat/folded_norm.h"
#include "halftone/qat/quantizers/activation_quantizer.h"
#include "halftone/qat/quantizers/weight_quantizer.h"
#include "halftone/qat/torch_graph.h"
#include "halftone/quant/parameters.h"

namespace halftone::qat {

class FakeQuantized : public Passage {
 public:
  // `network` and `parameters` as ptq::Result has them: each constant that a linear node reads is trained from the float weights.
  // Throws UnsupportedError for weights without steps of their own (check_finetuning tells earlier, of a recipe).
  // `norms`: normalizations that are folded into layers with steps by channel, and go on normalizing them; they may be none.
  FakeQuantized(const ir::Graph& network, const quant::Parameters& parameters, const Quantizer& quantizer, const Ranks& ranks,
                const std::map<std::string, Normalized>& norms = {});
  ~FakeQuantized() override;

  // From the next run on: it learns, with this noise, normalized by batches or by running statistics; none: it does not learn.
  void learn(std::optional<WeightRun> run, bool by_batch = false) {
    run_ = run;
    by_batch_ = by_batch;
  }

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
  std::unique_ptr<Layer> layer_of(const ir::Graph& network, std::size_t node, const quant::Parameters& parameters, const Quantizer& quantizer) const;

  std::vector<std::unique_ptr<Layer>> layers_;                         // by node, none where nothing is trained
  std::vector<std::shared_ptr<ActivationQuantizer>> activations_;      // by value; one for all that share a scale
  std::vector<std::size_t> classes_;                                   // the first value of each that share a scale
  std::vector<std::string> names_;                                     // by value
  std::vector<Layer*> normalized_;                                     // by value: the layer whose norm is folded
  std::optional<WeightRun> run_;
  bool by_batch_ = false;
};

}  // namespace halftone::qat
