// Shape arithmetic while a model is read: integers computed from the shapes of values, where the batch is not
// known. `Shape -> Gather -> Concat -> Reshape` ends here, in constants.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::onnx_io {

class ShapeValues {
 public:
  // Stand in int64 tensors for the symbolic batch, and for a number computed from it.
  static constexpr std::int64_t kUnknown = INT64_MIN;
  static constexpr std::int64_t kBatch = INT64_MIN + 1;

  // The values of a node's outputs when they follow from constants, shapes and values followed before, or
  // nothing. `types` are its outputs'.
  std::optional<std::vector<Tensor>> follow(const ir::Graph& graph, const ir::Node& node,
                                            std::span<const ir::TensorType> types) const;

  void set(ir::ValueId id, Tensor value) { values_[id] = std::move(value); }
  // The int64 tensor, with numbers that are not known, followed for this value; or nullptr.
  const Tensor* find(ir::ValueId id) const;

  // The shape that Reshape of an input of shape `x` is asked for, when `request` holds numbers that are not known: 0
  // (the input's own batch) or −1 (the rest) in their places. Throws UnsupportedError when neither says it.
  static Tensor reshape_request(const Tensor& request, const Shape& x);

 private:
  std::unordered_map<ir::ValueId, Tensor> values_;
};

bool has_unknown(const Tensor& value);

}  // namespace halftone::onnx_io
