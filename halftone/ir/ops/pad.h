// Ops that make a tensor larger by repeating or filling. Source: ONNX operators Pad, Expand.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

enum class PadMode {
  constant,  // `value`
  reflect,   // mirrored about the edge element
  edge,      // the edge element
  wrap,      // from the other end
};

// pads[d] elements before and pads[rank + d] after dimension d; negative ones take away.
struct Pad {
  static constexpr std::string_view kName = "Pad";
  std::vector<std::int64_t> pads;
  PadMode mode = PadMode::constant;
  double value = 0.0;
  bool operator==(const Pad&) const = default;
};

// Where along a dimension of `dim` elements element i of the result comes from, i counted from the input's first. -1 in mode
// constant outside of it.
std::int64_t padding_source(std::int64_t i, std::int64_t dim, PadMode mode);

// x broadcast with a tensor of shape `shape`: dimensions of 1 stretch, in either.
struct Expand {
  static constexpr std::string_view kName = "Expand";
  std::vector<std::int64_t> shape;
  bool operator==(const Expand&) const = default;
};

constexpr Arity arity(const Pad&) { return {1, 1}; }
constexpr Arity arity(const Expand&) { return {1, 1}; }
std::vector<TensorType> infer(const Pad& op, InputTypes inputs);
std::vector<TensorType> infer(const Expand& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Pad& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Expand& op, InputTensors inputs);

}  // namespace halftone::ir
