// Float training of any graph of differentiable ops: cross-entropy on its first output.
#pragma once

#include <functional>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/qat/hooks.h"
#include "halftone/qat/ranks.h"
#include "halftone/qat/train_options.h"

namespace halftone::qat {

struct TrainTask {
  const ir::Graph& graph;
  const Examples& examples;
  const Examples& held_out;  // rows that training does not see, whose accuracy is told each epoch; they may be none
  const Examples& test;      // likewise
  const Ranks& ranks;
};

struct Trained {
  ir::Graph graph;
  std::vector<EpochReport> reports;
};

// The graph with new constants of the same names, those after the last epoch, or the best where there is patience. Trained is every float32
// constant that reaches the first output, except the statistics of BatchNormalization. An output that is a Softmax is trained on the
// Softmax's input. `best` is given the graph each time that it is better than after every epoch before.
//
// Rows are preprocessed, float32 [rows, ...], one label a row. The same task, options, number of threads and machine give the same bytes.
// Sets the process's number of torch and OpenBLAS threads.
//
// Throws, before any training: UnsupportedError naming a node that has no torch form or a fixed batch; InputError when rows or labels do not
// fit the graph; UsageError for an option out of range or nothing to train. Throws UsageError when the loss stops being finite.
Trained train(const TrainTask& task, const TrainOptions& options, const Hooks& hooks = {}, const std::function<void(const ir::Graph&)>& best = {});

}  // namespace halftone::qat
