#include "halftone/qat/quantizers/round_to_steps.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

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

StepBounds bounds_at(const StepBounds& bounds, const torch::Tensor& z) {
  const float zero = std::nearbyint(z.item<float>());
  return {bounds.lo - zero, bounds.hi - zero};
}

// All that backward needs beside the tensors.
c10::List<double> packed(const StepShape& shape, const StepBounds& bounds) {
  return c10::List<double>({static_cast<double>(shape.axis), static_cast<double>(bounds.lo), static_cast<double>(bounds.hi), shape.gradient_scale,
                            shape.gradient == StepGradient::clipping ? 1.0 : 0.0, shape.passes_outside ? 1.0 : 0.0});
}

StepShape unpacked(const std::vector<double>& all) {
  return {.axis = static_cast<std::int64_t>(all[0]),
          .bounds = {static_cast<float>(all[1]), static_cast<float>(all[2])},
          .gradient_scale = all[3],
          .gradient = all[4] != 0.0 ? StepGradient::clipping : StepGradient::rounding,
          .passes_outside = all[5] != 0.0};
}

class RoundToSteps : public torch::autograd::Function<RoundToSteps> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& given, const torch::Tensor& s, const torch::Tensor& z, bool has_zero, const StepShape& shape) {
    const torch::Tensor x = dense(given, shape.axis);
    const StepBounds bounds = has_zero ? bounds_at(shape.bounds, z) : shape.bounds;
    context->save_for_backward({x, s});
    context->saved_data["shape"] = packed(shape, bounds);
    context->saved_data["has_zero"] = has_zero;
    torch::Tensor y = at::empty_like(x);
    const Runs runs(x, shape.axis);
    const float* from = x.data_ptr<float>();
    const float* steps = s.data_ptr<float>();
    float* to = y.data_ptr<float>();
    if (shape.axis < 0) {
      at::parallel_for(0, runs.inner, kLeast, [&](std::int64_t first, std::int64_t last) {
        round_to_steps(from + first, to + first, last - first, steps[0], bounds);
      });
      return y;
    }
    for (std::int64_t at = 0; at < runs.outer * runs.channels; ++at)
      round_to_steps(from + at * runs.inner, to + at * runs.inner, runs.inner, steps[at % runs.channels], bounds);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor& x = saved[0];
    const torch::Tensor& s = saved[1];
    const StepShape shape = unpacked(context->saved_data["shape"].toDoubleVector());
    const torch::Tensor g = in_order_of(x, gradients[0]);
    torch::Tensor g_x = at::empty_like(x);
    const Runs runs(x, shape.axis);
    const float* from = x.data_ptr<float>();
    const float* steps = s.data_ptr<float>();
    const float* of_y = g.data_ptr<float>();
    float* of_x = g_x.data_ptr<float>();
    std::vector<StepSums> sums(static_cast<std::size_t>(runs.channels));
    for (std::int64_t at = 0; at < runs.outer * runs.channels; ++at) {
      const std::int64_t first = at * runs.inner;
      StepSums& all = sums[static_cast<std::size_t>(at % runs.channels)];
      const StepSums more = round_to_steps_gradient(from + first, of_y + first, of_x + first, runs.inner, steps[at % runs.channels], shape.bounds, shape.passes_outside);
      all = {all.inside + more.inside, all.above + more.above, all.below + more.below};
    }
    const torch::Tensor g_z = context->saved_data["has_zero"].toBool() ? gradient_of_zero(sums[0], steps[0], shape) : torch::Tensor();
    return {g_x, gradient_of_steps(sums, shape), g_z, torch::Tensor(), torch::Tensor()};
  }

 private:
  static torch::Tensor gradient_of_steps(const std::vector<StepSums>& sums, const StepShape& shape) {
    torch::Tensor g_s = at::empty({std::ssize(sums)});
    for (std::size_t c = 0; c < sums.size(); ++c) {
      const double inside = shape.gradient == StepGradient::rounding ? sums[c].inside : 0.0;
      g_s.data_ptr<float>()[c] = static_cast<float>(shape.gradient_scale * (inside + static_cast<double>(shape.bounds.hi) * sums[c].above +
                                                                            static_cast<double>(shape.bounds.lo) * sums[c].below));
    }
    return g_s;
  }

  static torch::Tensor gradient_of_zero(const StepSums& sums, float s, const StepShape& shape) {
    return at::full({1}, -static_cast<double>(s) * shape.gradient_scale * (sums.above + sums.below));
  }

  static constexpr std::int64_t kLeast = 32768;  // elements for a thread
};

class RoundWeights : public torch::autograd::Function<RoundWeights> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& given, const torch::Tensor& s, std::int64_t axis, const StepBounds& bounds) {
    const torch::Tensor v = dense(given, axis);
    context->save_for_backward({v, s});
    context->saved_data["shape"] = packed({.axis = axis}, bounds);
    torch::Tensor y = at::empty_like(v);
    const Runs runs(v, axis);
    for (std::int64_t at = 0; at < runs.outer * runs.channels; ++at)
      round_weights(v.data_ptr<float>() + at * runs.inner, y.data_ptr<float>() + at * runs.inner, runs.inner, s.data_ptr<float>()[at % runs.channels], bounds);
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor& v = saved[0];
    const torch::Tensor& s = saved[1];
    const StepShape shape = unpacked(context->saved_data["shape"].toDoubleVector());
    const torch::Tensor g = in_order_of(v, gradients[0]);
    torch::Tensor g_v = at::empty_like(v);
    torch::Tensor g_s = at::zeros_like(s);
    const Runs runs(v, shape.axis);
    for (std::int64_t at = 0; at < runs.outer * runs.channels; ++at)
      g_s.data_ptr<float>()[at % runs.channels] += static_cast<float>(round_weights_gradient(v.data_ptr<float>() + at * runs.inner, g.data_ptr<float>() + at * runs.inner, g_v.data_ptr<float>() + at * runs.inner,
                                                                                             runs.inner, s.data_ptr<float>()[at % runs.channels], shape.bounds));
    return {g_v, g_s, torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

torch::Tensor round_to_steps(const torch::Tensor& x, const torch::Tensor& s, const StepShape& shape) {
  return RoundToSteps::apply(x, s, s.detach(), /*has_zero=*/false, shape);
}

torch::Tensor round_to_steps(const torch::Tensor& x, const torch::Tensor& s, const torch::Tensor& z, const StepShape& shape) {
  return RoundToSteps::apply(x, s, z, /*has_zero=*/true, shape);
}

torch::Tensor round_weights(const torch::Tensor& v, const torch::Tensor& s, std::int64_t axis, const StepBounds& bounds) { return RoundWeights::apply(v, s, axis, bounds); }

}  // namespace halftone::qat
