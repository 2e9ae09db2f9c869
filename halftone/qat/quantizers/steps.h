// One or more steps that stay positive by construction.
#pragma once

#include <torch/types.h>

#include <vector>

namespace halftone::qat {

enum class StepKind {
  fixed,         // s = s0
  learnt,        // s = s0·e^u; u begins at 0
  power_of_two,  // s = 2^⌈log2(s0·e^u)⌉, the gradient straight through the ceiling: Jain et al., "Trained quantization
                 // thresholds", MLSys 2020, equations 4 and 6
};

class Steps {
 public:
  Steps(const std::vector<float>& s0, StepKind kind);
  // [steps], with a gradient to u where it is learnt.
  torch::Tensor now() const;
  bool is_learnt() const { return kind_ != StepKind::fixed; }
  const torch::Tensor& logarithm() const { return u_; }

 private:
  StepKind kind_;
  torch::Tensor first_;
  torch::Tensor u_;
};

// Values of [channels] in the shape that broadcasts along `axis` of a tensor of `rank` dimensions; one value has no axis.
torch::Tensor along(const torch::Tensor& values, std::int64_t axis, std::int64_t rank);

}  // namespace halftone::qat
