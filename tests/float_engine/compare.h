// The float engine beside the plain interpreter.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <optional>

#include "halftone/float_engine/executor.h"
#include "tests/ir/tensors.h"

namespace halftone::float_engine {

inline constexpr double kUnit = 0x1p-24;  // of one rounding to float32

inline constexpr double kTiny = 0x1p-120;  // exponentials this small may be cut off

// [0, below), without regard to RapidCheck's size.
inline std::int64_t choose(std::int64_t below) {
  return *rc::gen::resize(100, rc::gen::inRange<std::int64_t>(0, below));
}
inline std::uint64_t any_seed() { return static_cast<std::uint64_t>(choose(1 << 30)); }

inline Tensor fast(const ir::Graph& graph, const std::vector<Tensor>& inputs) {
  return make_executor(graph)->run(inputs).at(0);
}

inline Tensor absolute(Tensor tensor) {
  for (float& x : tensor.mutable_data<float>()) x = std::fabs(x);
  return tensor;
}

// Where `ours` is further from `theirs` than `terms` roundings of the sum of absolute products, `magnitude`,
// allow. A sum of n terms in any order, its bias and its result in float32 make n + 2 roundings; the
// interpreter's own result is rounded once more, and 1 % covers the products of roundings (Higham, Accuracy
// and Stability, section 3.1).
inline std::optional<std::string> beyond(const Tensor& ours, const Tensor& theirs, const Tensor& magnitude,
                                         std::int64_t terms) {
  if (ours.shape() != theirs.shape())
    return "shape " + to_string(ours.shape()) + ", expected " + to_string(theirs.shape());
  for (std::size_t i = 0; i < static_cast<std::size_t>(ours.size()); ++i) {
    const double difference = std::fabs(double{ours.data<float>()[i]} - theirs.data<float>()[i]);
    const double allowed = 1.01 * kUnit * static_cast<double>(terms + 3) * magnitude.data<float>()[i] + kTiny;
    if (!(difference <= allowed))
      return "element " + std::to_string(i) + ": " + std::to_string(ours.data<float>()[i]) + ", expected " +
             std::to_string(theirs.data<float>()[i]);
  }
  return std::nullopt;
}

// The graph of one linear op against the interpreter; the same op on absolute values bounds the error.
inline std::optional<std::string> linear_difference(const ir::Graph& graph, const std::vector<Tensor>& inputs,
                                                    std::int64_t terms) {
  ir::Graph positive = graph;
  for (ir::Value& value : positive.values)
    if (value.constant) value.constant = absolute(*value.constant);
  std::vector<Tensor> magnitudes;
  for (const Tensor& input : inputs) magnitudes.push_back(absolute(input));
  return beyond(fast(graph, inputs), ir::run(graph, inputs), ir::run(positive, magnitudes), terms);
}

// Equal numbers: −0 is 0.
inline bool equal(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  if (a.dtype() != DType::float32) return a == b;
  return std::ranges::equal(a.data<float>(), b.data<float>());
}

}  // namespace halftone::float_engine
