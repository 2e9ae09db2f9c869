// Lab 6's own pipeline: three products of matrices with tanh between, weights and the hidden values in fixed point, the second product on
// hardware. Nothing is scaled back: tanh and the last product take integers as they are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "halftone/ir/executor.h"
#include "halftone/ir/graph.h"
#include "halftone/rtl/single_multiplier.h"

namespace halftone::rtl {

struct Lab6Options {
  bool clamp = true;        // the 16-bit sums to 8 bits; otherwise their low 8 bits are kept
  int weight_fraction = 4;  // fraction lengths of 8-bit words
  int value_fraction = 4;
};

// a1 = tanh(x·W1ᵀ), q = fixed(a1), c = hardware(q·W2ᵀ), y = tanh(c)·W3ᵀ, with W1, W2 and W3 the integers of fixed-point weights.
class Lab6Network : public ir::Executor {
 public:
  // Throws UnsupportedError unless the graph is Gemm, Tanh, Gemm, Tanh, Gemm behind a Flatten, without biases.
  Lab6Network(const ir::Graph& graph, const Lab6Options& options, const std::filesystem::path& kept);

  // One run at a time.
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit = {}) const override;
  const SingleMultiplierChecks& checks() const { return checks_; }  // cycles: of all products

 private:
  std::vector<std::uint32_t> on_hardware(const std::vector<std::uint32_t>& a) const;

  struct Weights {
    std::int64_t outputs = 0, inputs = 0;
    std::vector<std::int32_t> w;  // [outputs][inputs]
  };

  Lab6Options options_;
  std::vector<Weights> layers_;
  SingleMultiplier design_;
  std::vector<std::uint32_t> b_;  // [depth][cols], as the hardware takes it
  std::unique_ptr<Simulation> simulation_;
  mutable SingleMultiplierChecks checks_;
};

}  // namespace halftone::rtl
