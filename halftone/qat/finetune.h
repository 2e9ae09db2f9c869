// Quantization-aware training: a network learns at the integers that it will run in, from the float network as its teacher. Sources:
// Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018; Hinton et al.,
// "Distilling the knowledge in a neural network", 2015; Esser et al., "Learned step size quantization", ICLR 2020.
#pragma once

#include <cstdint>
#include <span>

#include "halftone/ir/graph.h"
#include "halftone/qat/progress.h"
#include "halftone/quant/parameters.h"

namespace halftone::qat {

enum class Quantizer {
  straight_through,  // steps stay as they are; the gradient goes through the rounding (Bengio et al., 2013)
  lsq,               // steps are learnt: s = s0·e^u (Esser et al., ICLR 2020); u begins at 0, so that steps stay positive
};

enum class Augmentation { none, crop, crop_flip };  // augment.h

struct FinetuneOptions {
  int epochs = 10;
  std::uint64_t seed = 1;  // the order of the rows, and augmentation
  std::int64_t batch_size = 32;
  double learning_rate = 3e-4;  // of weights and biases, the largest that there may be being 1; along a half cosine
  double step_rate = 1e-3;      // of the logarithm of steps, likewise
  double label_weight = 0.3;    // of the cross-entropy with labels; the rest is the divergence from the teacher
  std::int64_t held_out = 0;    // the last rows, which training does not see: their accuracy is told each epoch
  int threads = 1;
  Quantizer quantizer = Quantizer::lsq;
  Augmentation augmentation = Augmentation::none;
};

struct Finetuned {
  ir::Graph network;            // the float network with the trained weights and biases
  quant::Parameters parameters; // the trained steps, and the integers at them
};

// Trains `network` with `parameters` (those of ptq::Result): the loss is label_weight·H(labels, p) + (1 − label_weight)·D(t ‖ p), with p the
// softmax of the logits at the steps and t that of the float network on the same pictures. What is trained: weights, biases and, by the
// quantizer, steps. Without labels (then label_weight is 0) accuracy is how often both networks name the same class. The same arguments, machine and number of threads give the same bytes.
//
// Throws as qat::train does; UnsupportedError for weights that FakeQuantized does not train.
Finetuned finetune(const ir::Graph& network, const quant::Parameters& parameters, const Tensor& images, std::span<const std::int32_t> labels,
                   const FinetuneOptions& options, const ProgressFn& progress = {});

}  // namespace halftone::qat
