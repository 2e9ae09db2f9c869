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
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t groups = 1;
  Init init = Init::kaiming;
  bool bias = false;
};

class Layers {
 public:
  // Starts at `input` [N, image...].
  Layers(const Shape& image, std::uint64_t seed);

  // y = x·Wᵀ (+ b): Gemm with NAME.weight [outputs, inputs] and, where asked for, NAME.bias, zero at first.
  void dense(const std::string& name, const DenseLayer& layer);
  // Conv with NAME.weight [outputs, channels / groups, kernel, kernel] and, where asked for, NAME.bias, zero
  // at first.
  void conv(const std::string& name, const ConvLayer& layer);
  // BatchNormalization with NAME.weight, .bias, .running_mean and .running_var [channels], near to the
  // identity for numbers of mean 0 and this variance.
  void batch_norm(const std::string& name, float variance = 1.0F);
  // An op without weights.
  void add(std::string_view name, ir::Op op);
  // An op without weights on this place and another: op(last, other).
  void join(std::string_view name, ir::Op op, ir::ValueId other);

  // Where the network has come to, to branch off with and to join.
  ir::ValueId last() const { return last_; }
  // The next layer reads this value.
  void continue_at(ir::ValueId value) { last_ = value; }
  std::int64_t channels() const { return shape().at(1); }

  // The checked graph, the last layer's value being called `output`.
  ir::Graph finish();

 private:
  const Shape& shape() const { return graph_.value(last_).shape; }

  ir::Graph graph_;
  ir::ValueId last_;
  std::mt19937_64 random_;
};

}  // namespace halftone::models
