// A float network in training as it will run in integers: weights, biases and activations pass through the steps of its parameters.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halftone/qat/finetune.h"
#include "halftone/qat/torch_graph.h"
#include "halftone/quant/parameters.h"

namespace halftone::qat {

// A tensor that training changes, and in which units: Adam's steps are as large for all numbers, weights are not.
struct Trained {
  torch::Tensor tensor;
  bool is_step = false;
};

class FakeQuantized : public Passage {
 public:
  // `network` and `parameters` as ptq::Result has them: each constant that a linear node reads is trained at the steps of its
  // parameters, from the float weights, held within 0.45 steps of the integers that were chosen. Zero points stay.
  // Throws UnsupportedError for weights without steps of their own (check_finetuning tells earlier, of a recipe).
  FakeQuantized(const ir::Graph& network, const quant::Parameters& parameters, Quantizer quantizer);
  ~FakeQuantized() override;

  torch::Tensor operand(std::size_t node, std::size_t input, const torch::Tensor& given) override;
  torch::Tensor result(ir::ValueId id, const torch::Tensor& computed) override;
  void begin() override;

  std::vector<Trained> trained() const;
  // The network with the trained weights and biases, and its parameters with the trained steps and the integers at them.
  void write_to(ir::Graph& network, quant::Parameters& parameters) const;

 private:
  struct Layer;
  struct Activation;
  std::unique_ptr<Layer> layer_of(const ir::Graph& network, std::size_t node, const quant::Parameters& parameters, bool learnt) const;

  std::vector<std::unique_ptr<Layer>> layers_;            // by node, none where nothing is trained
  std::vector<std::shared_ptr<Activation>> activations_;  // by value; one for all that share a scale
};

}  // namespace halftone::qat
