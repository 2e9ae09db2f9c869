// A network written down layer after layer, each reading the one before.
#pragma once

#include <string>
#include <string_view>

#include "halftone/ir/graph.h"
#include "halftone/models/initialize.h"

namespace halftone::models {

struct DenseLayer {
  std::int64_t outputs = 1;
  Init init = Init::kaiming;
  bool bias = false;
};

struct ConvLayer {
  std::int64_t outputs = 1;
  std::int64_t kernel = 1;
  Init init = Init::kaiming;
};

class Layers {
 public:
  // Starts at `input` [N, image...].
  Layers(const Shape& image, std::uint64_t seed);

  // y = x·Wᵀ (+ b): Gemm with NAME.weight [outputs, inputs] and, where asked for, NAME.bias, zero at first.
  void dense(const std::string& name, const DenseLayer& layer);
  // Conv with NAME.weight [outputs, channels, kernel, kernel], stride 1, no padding.
  void conv(const std::string& name, const ConvLayer& layer);
  // An op without weights.
  void add(std::string_view name, ir::Op op);

  // The checked graph, the last layer's value being called `output`.
  ir::Graph finish();

 private:
  const Shape& shape() const { return graph_.value(last_).shape; }

  ir::Graph graph_;
  ir::ValueId last_;
  std::mt19937_64 random_;
};

}  // namespace halftone::models
