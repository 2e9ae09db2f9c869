// Quantization-aware training: a network learns at the integers that it will run in, from the float network as its teacher. Sources:
// Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018; Hinton et al.,
// "Distilling the knowledge in a neural network", 2015; Esser et al., "Learned step size quantization", ICLR 2020.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/qat/progress.h"
#include "halftone/quant/parameters.h"
#include "halftone/quant/recipe.h"

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
  int threads = 1;
  Quantizer quantizer = Quantizer::lsq;
  Augmentation augmentation = Augmentation::none;
};

// Preprocessed pictures, float32 [rows, ...], and a label for each, or none at all.
struct Examples {
  Tensor images;
  std::vector<std::int32_t> labels;
};

// Throws, before any work: UnsupportedError for what is not trained, weights by group or of codebooks, asymmetric ones, biases of
// fewer bits, activations that stay float; UsageError for steps that are learnt where the recipe wants powers of two or sets them.
void check_finetuning(const quant::Recipe& recipe, Quantizer quantizer);

// The same for options, a float network and rows that do not fit: throws as qat::train does. `held_out` may be without rows.
void check_finetuning(const ir::Graph& network, const Examples& examples, const Examples& held_out, const FinetuneOptions& options);

struct FinetuneTask {
  const ir::Graph& teacher;             // the float network as it was, with the outputs of `network`
  const ir::Graph& network;             // as ptq::Result has it, and its parameters
  const quant::Parameters& parameters;
  const Examples& examples;
  const Examples& held_out;             // rows that training does not see, whose accuracy is told each epoch; none: not told
};

struct Finetuned {
  ir::Graph network;            // the float network with the trained weights and biases
  quant::Parameters parameters; // the trained steps, and the integers at them
};

// The loss is label_weight·H(labels, p) + (1 − label_weight)·D(t ‖ p), with p the softmax of the logits at the steps and t that of the
// teacher on the same pictures. Weights are trained, biases and, by the quantizer, steps. Without labels (then label_weight is 0)
// accuracy is how often both networks name the same class. The same task, machine and number of threads give the same bytes.
//
// Throws as check_finetuning does, and UsageError where the loss or what is trained stops being finite.
Finetuned finetune(const FinetuneTask& task, const FinetuneOptions& options, const ProgressFn& progress = {});

}  // namespace halftone::qat
