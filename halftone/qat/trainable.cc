#include "halftone/qat/trainable.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/ir/infer.h"

namespace halftone::qat {
namespace {

bool fits(const Shape& shape, const Shape& expected) {
  return std::ranges::equal(shape, expected,
                            [](std::int64_t got, std::int64_t dim) { return dim == kDynamic || got == dim; });
}

void check_kind(const ir::Graph& graph) {
  if (graph.inputs.size() != 1)
    throw UnsupportedError("train", fmt::format("a graph of {} inputs, expected 1", graph.inputs.size()));
  const ir::Value& input = graph.value(graph.inputs[0]);
  if (input.dtype != DType::float32 || input.shape.empty() || input.shape[0] != kDynamic)
    throw UnsupportedError(
        "train", fmt::format("input '{}', got {} {}, expected float32 with a dynamic batch", input.name,
                             name_of(input.dtype), to_string(input.shape)));
  const ir::Value& logits = graph.value(graph.outputs[0]);
  if (logits.dtype != DType::float32 || logits.shape.size() != 2 || logits.shape[1] < 2)
    throw UnsupportedError("train", fmt::format("output '{}', got {} {}, expected float32 [N, classes]",
                                                logits.name, name_of(logits.dtype), to_string(logits.shape)));
}

}  // namespace

ir::ValueId logits_of(const ir::Graph& graph) {
  const ir::ValueId output = graph.outputs.at(0);
  const int producer = ir::producers(graph)[static_cast<std::size_t>(output)];
  if (producer < 0) return output;
  const ir::Node& node = graph.nodes[static_cast<std::size_t>(producer)];
  return std::holds_alternative<ir::Softmax>(node.op) ? node.inputs.at(0) : output;
}

ir::Graph logits_graph(const ir::Graph& graph) {
  ir::check(graph);
  ir::Graph logits = graph;
  logits.outputs = {logits_of(graph)};
  logits = ir::without_dead_nodes(logits);
  check_kind(logits);
  return logits;
}

void check_rows(const ir::Graph& graph, const Examples& examples, bool needs_labels) {
  const auto& [images, labels] = examples;
  const ir::Value& input = graph.value(graph.inputs[0]);
  if (images.dtype() != DType::float32 || !fits(images.shape(), input.shape))
    throw InputError("train",
                     fmt::format("images do not fit input '{}', got {} {}, expected float32 {}", input.name,
                                 name_of(images.dtype()), to_string(images.shape()), to_string(input.shape)));
  const auto rows = images.dim(0);
  const bool has_none = labels.empty() && !needs_labels;
  if (rows < 1 || (!has_none && rows != static_cast<std::int64_t>(labels.size())))
    throw InputError(
        "train", fmt::format("{} images and {} labels, expected one label for each of 1 or more images", rows,
                             labels.size()));
  const std::int64_t classes = graph.value(graph.outputs[0]).shape[1];
  const auto bad =
      std::ranges::find_if(labels, [&](std::int32_t label) { return label < 0 || label >= classes; });
  if (bad != labels.end())
    throw InputError("train", fmt::format("label of row {}, got {}, expected 0 to {}", bad - labels.begin(),
                                          *bad, classes - 1));
}

}  // namespace halftone::qat
