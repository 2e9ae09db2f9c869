// Space made larger or smaller. Source: ONNX operator Resize (and Upsample before operator set 10).
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// Element o of a dimension of size in, made n long at scale s (another length than it had), reads place
//   half_pixel            (o + ½)/s − ½
//   pytorch_half_pixel    the same, and 0 when n is 1
//   half_pixel_symmetric  in/2·(1 − n/(s·in)) + (o + ½)/s − ½
//   asymmetric            o/s
//   align_corners         o·(in − 1)/(n − 1), and 0 when n is 1
enum class Coordinates { half_pixel, pytorch_half_pixel, half_pixel_symmetric, asymmetric, align_corners };

// How `nearest` rounds that place.
enum class NearestMode { round_prefer_floor, round_prefer_ceil, floor, ceil };

struct Resize {
  static constexpr std::string_view kName = "Resize";
  std::vector<std::int64_t> sizes;  // of every dimension of the result, kDynamic for x's own; or empty
  std::vector<float> scales;        // of every dimension, the result being ⌊in·scale⌋ long; or empty
  bool linear = false;              // between the two neighbours in each dimension; else the nearest element
  Coordinates coordinates = Coordinates::half_pixel;
  NearestMode nearest = NearestMode::round_prefer_floor;
  bool operator==(const Resize&) const = default;
};

constexpr Arity arity(const Resize&) { return {1, 1}; }
std::vector<TensorType> infer(const Resize& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Resize& op, InputTensors inputs);

// For `nearest`: along each dimension of the result, the place it reads.
std::vector<std::vector<std::int64_t>> nearest_places(const Resize& op, const Shape& x);

}  // namespace halftone::ir
