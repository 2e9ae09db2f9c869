// The part of a graph that is trained: the one that computes the logits of its first output.
#pragma once

#include "halftone/ir/graph.h"
#include "halftone/qat/train_options.h"

namespace halftone::qat {

// A graph with one output, the logits [N, classes], and no more nodes than that takes. Its logits are the
// first output or, where that is a Softmax, the Softmax's input. Throws InputError or UnsupportedError for a
// graph that is malformed or has another kind of input or output.
ir::Graph logits_graph(const ir::Graph& graph);

// The value of the logits: what logits_graph puts out.
ir::ValueId logits_of(const ir::Graph& graph);

// Throws InputError unless images [rows, ...] and labels, one for each or, where they are not needed, none at all, fit a logits_graph.
void check_rows(const ir::Graph& graph, const Examples& examples, bool needs_labels);

}  // namespace halftone::qat
