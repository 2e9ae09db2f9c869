// Blocks of channels as blocks of pixels, and back. x [N, C, H, W]; `block` is the side of a block.
// Source: ONNX operators DepthToSpace, SpaceToDepth; Shi et al., 2016 (pixel shuffle).
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// y [N, C/block², H·block, W·block]. A channel of x stands for a place in the block and a channel of y, in
// this order, or, with columns_last (mode CRD), for a channel of y and a place.
struct DepthToSpace {
  static constexpr std::string_view kName = "DepthToSpace";
  std::int64_t block = 1;
  bool columns_last = false;
  bool operator==(const DepthToSpace&) const = default;
};

// y [N, C·block², H/block, W/block]: the inverse of DepthToSpace without columns_last.
struct SpaceToDepth {
  static constexpr std::string_view kName = "SpaceToDepth";
  std::int64_t block = 1;
  bool operator==(const SpaceToDepth&) const = default;
};

constexpr Arity arity(const DepthToSpace&) { return {1, 1}; }
constexpr Arity arity(const SpaceToDepth&) { return {1, 1}; }
std::vector<TensorType> infer(const DepthToSpace& op, InputTypes inputs);
std::vector<TensorType> infer(const SpaceToDepth& op, InputTypes inputs);
std::vector<Tensor> evaluate(const DepthToSpace& op, InputTensors inputs);
std::vector<Tensor> evaluate(const SpaceToDepth& op, InputTensors inputs);

}  // namespace halftone::ir
