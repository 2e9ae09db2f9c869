#include "halftone/qat/quantizers/round_to_steps.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

namespace halftone::qat {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Stretches of a dense tensor's memory that have one step each.
struct Runs {
  std::int64_t outer = 1;
  std::int64_t channels = 1;
  std::int64_t inner = 1;

  Runs(const torch::Tensor& x, std::int64_t axis) {
    if (axis < 0) {
      inner = x.numel();
      return;
    }
    channels = x.size(axis);
    for (std::int64_t d = 0; d < axis; ++d) outer *= x.size(d);
    for (std::int64_t d = axis + 1; d < x.dim(); ++d) inner *= x.size(d);
  }
};

// One order of elements in memory for all: that of x where it is dense and one step is enough, else row-major.
torch::Tensor dense(const torch::Tensor& x, std::int64_t axis) {
  return axis < 0 && x.is_non_overlapping_and_dense() ? x : x.contiguous();
}

torch::Tensor in_order_of(const torch::Tensor& x, const torch::Tensor& given) {
  return given.strides() == x.strides() ? given : at::empty_like(x).copy_(given);
}

class RoundToSteps : public torch::autograd::Function<RoundToSteps> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& given, const torch::Tensor& s, const StepShape& shape) {
    const torch::Tensor x = dense(given, shape.axis);
    context->save_for_backward({x, s});
    context->saved_data["axis"] = shape.axis;
    context->saved_data["lo"] = static_cast<double>(shape.bounds.lo);
    context->saved_data["hi"] = static_cast<double>(shape.bounds.hi);
    context->saved_data["gradient_scale"] = shape.gradient_scale;
    torch::Tensor y = at::empty_like(x);
    const Runs runs(x, shape.axis);
    const float* from = x.data_ptr<float>();
    const float* steps = s.data_ptr<float>();
    float* to = y.data_ptr<float>();
    if (shape.axis < 0) {
      at::parallel_for(0, runs.inner, kLeast, [&](std::int64_t first, std::int64_t last) {
        round_to_steps(from + first, to + first, last - first, steps[0], shape.bounds);
      });
      return y;
    }
    for (std::int64_t at = 0; at < runs.outer * runs.channels; ++at)
      round_to_steps(from + at * runs.inner, to + at * runs.inner, runs.inner, steps[at % runs.channels], shape.bounds);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor& x = saved[0];
    const torch::Tensor& s = saved[1];
    const std::int64_t axis = context->saved_data["axis"].toInt();
    const StepBounds bounds{static_cast<float>(context->saved_data["lo"].toDouble()), static_cast<float>(context->saved_data["hi"].toDouble())};
    const torch::Tensor g = in_order_of(x, gradients[0]);
    torch::Tensor g_x = at::empty_like(x);
    torch::Tensor g_s = at::empty_like(s);
    const Runs runs(x, axis);
    const float* from = x.data_ptr<float>();
    const float* steps = s.data_ptr<float>();
    const float* of_y = g.data_ptr<float>();
    float* of_x = g_x.data_ptr<float>();
    std::vector<double> sums(static_cast<std::size_t>(runs.channels), 0.0);
    for (std::int64_t at = 0; at < runs.outer * runs.channels; ++at) {
      const std::int64_t first = at * runs.inner;
      sums[static_cast<std::size_t>(at % runs.channels)] += round_to_steps_gradient(from + first, of_y + first, of_x + first, runs.inner, steps[at % runs.channels], bounds);
    }
    const double scale = context->saved_data["gradient_scale"].toDouble();
    for (std::size_t c = 0; c < sums.size(); ++c) g_s.data_ptr<float>()[c] = static_cast<float>(scale * sums[c]);
    return {g_x, g_s, torch::Tensor()};
  }

 private:
  static constexpr std::int64_t kLeast = 32768;  // elements for a thread
};

}  // namespace

torch::Tensor round_to_steps(const torch::Tensor& x, const torch::Tensor& s, const StepShape& shape) { return RoundToSteps::apply(x, s, shape); }

}  // namespace halftone::qat
