// Quantization-aware training: a network learns at the integers that it will run in. Sources: Jacob et al., "Quantization and training of
// neural networks for efficient integer-arithmetic-only inference", CVPR 2018; Hinton et al., "Distilling the knowledge in a neural
// network", 2015.
#pragma once

#include <functional>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/qat/hooks.h"
#include "halftone/qat/quantizers/quantizer.h"
#include "halftone/qat/ranks.h"
#include "halftone/qat/train_options.h"
#include "halftone/quant/parameters.h"
#include "halftone/quant/recipe.h"

namespace halftone::qat {

// Options that train quantized networks well: the learning rate is of weights and biases, the largest that there may be being 1.
TrainOptions quantized_training();

struct FinetuneOptions {
  TrainOptions training = quantized_training();
  const Quantizer& quantizer = qat::quantizer("lsq");
  double step_rate = 1e-3;      // of the logarithm of steps, and of zero points
  double label_weight = 0.3;    // of the cross-entropy with labels; the rest is the divergence from the teacher
  WeightNoise noise = WeightNoise::none;
  double freeze = 0;            // share of steps in which a weight may go to and fro before it stays (WeightQuantizer); 0: any
  int batch_norm_epochs = 0;    // at the start, in which layers are normalized by the statistics of batches (folded_normalization.h)
};

// Throws, before any work: UnsupportedError for what is not trained, weights by group or of codebooks, asymmetric ones, biases of
// fewer bits, activations that stay float; UsageError for a recipe that is not what the quantizer, or normalizing by batches, needs.
void check_finetuning(const quant::Recipe& recipe, const FinetuneOptions& options);

struct FinetuneTask {
  const ir::Graph& teacher;             // the float network as it was, with the outputs of `network`
  const ir::Graph& network;             // as ptq::Result has it, and its parameters
  const quant::Parameters& parameters;
  const Examples& examples;
  const Examples& held_out;  // rows that training does not see, whose accuracy is told each epoch; they may be none
  const Examples& test;      // likewise
  const Ranks& ranks;
};

// Throws for options, a float network and rows that do not fit, as qat::train does.
void check_finetuning(const FinetuneTask& task, const FinetuneOptions& options);

struct Finetuned {
  ir::Graph network;             // the float network with the trained weights and biases
  quant::Parameters parameters;  // the trained steps, and the integers at them
  std::vector<EpochReport> reports;
};

// Weights are trained, biases and, by the quantizer, steps and zero points, by the loss of Learner. Without labels (then label_weight is 0)
// accuracy is how often both networks name the same class. The same task, options, machine and number of threads give the same bytes.
// `best` is given the network each time that it is better than after every epoch before.
//
// Throws as check_finetuning does, UsageError where the loss or what is trained stops being finite, and Stopped.
Finetuned finetune(const FinetuneTask& task, const FinetuneOptions& options, const Hooks& hooks = {}, const std::function<void(const Finetuned&)>& best = {});

}  // namespace halftone::qat
