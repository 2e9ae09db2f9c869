#include "halftone/rtl/lab6.h"

#include <algorithm>

namespace halftone::rtl {

std::span<const Lab6Design> lab6_designs() {
  static constexpr Lab6Design kDesigns[] = {
      {"Lab 6, float32 x float32", 15.210, 2'134'102, 2'121'808, {5, 2'190, 897, 80}, 4, 80},
      {"Lab 6, float32 x int8", 15.210, 2'134'108, 2'121'814, {5, 2'840, 1'503, 56}, 4, 86},
      {"Lab 6, int8 x int8", 8.097, 561'234, 548'940, {1, 1'588, 643, 20}, 1, 76},
  };
  return kDesigns;
}

std::int64_t lab6_interval(const Lab6Design& design, const ProductShape& shape) {
  return shape.rows * shape.cols * (shape.depth * design.initiation + 6) + design.overhead;
}

std::int64_t lab6_latency(const Lab6Design& design, const ProductShape& shape) {
  return lab6_interval(design, shape) + std::max(shape.rows * shape.depth, shape.depth * shape.cols) + shape.rows * shape.cols + 6;
}

}  // namespace halftone::rtl
