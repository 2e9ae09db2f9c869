// Float training of any graph of differentiable ops: cross-entropy on its first output, by AdamW under a
// learning rate that falls along a half cosine. Sources: Loshchilov and Hutter, "Decoupled weight decay
// regularization", ICLR 2019, and "SGDR", ICLR 2017 (one period, no restart); label smoothing as Szegedy et
// al., CVPR 2016, section 7.
#pragma once

#include <cstdint>
#include <span>

#include "halftone/ir/graph.h"
#include "halftone/qat/progress.h"

namespace halftone::qat {

struct TrainOptions {
  int epochs = 10;
  std::uint64_t seed = 1;  // the order of the rows
  std::int64_t batch_size = 32;
  double learning_rate = 2e-3;  // of the first step; of step t among T: learning_rate·(1 + cos(π·t/T))/2
  // Each step takes its learning rate times weight_decay/√T of every weight with two or more dimensions;
  // biases and normalization do not decay. So one value serves few rows and many, as in Loshchilov and
  // Hutter, ICLR 2019, appendix B.1 (normalized weight decay).
  double weight_decay = 30;
  double label_smoothing = 0.1;  // this part of each target is spread over all classes
  int threads = 1;               // small networks train no faster on more
};

// The graph with new constants of the same names, those after the last epoch. Trained is every float32
// constant that reaches the first output, except the statistics of BatchNormalization. An output that is a
// Softmax is trained on the Softmax's input.
//
// `images` are preprocessed, float32 [rows, ...], one label a row. The same graph, rows, options, number of
// threads and machine give the same bytes. Sets the process's number of torch and OpenBLAS threads.
//
// Throws, before any training: UnsupportedError naming a node that has no torch form or a fixed batch;
// InputError when images or labels do not fit the graph; UsageError for an option out of range or nothing to
// train. Throws UsageError when the loss stops being finite.
ir::Graph train(const ir::Graph& graph, const Tensor& images, std::span<const std::int32_t> labels,
                const TrainOptions& options, const ProgressFn& progress = {});

}  // namespace halftone::qat
