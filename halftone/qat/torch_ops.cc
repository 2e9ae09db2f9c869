#include "halftone/qat/torch_ops.h"

#include <limits>

#include "halftone/qat/torch_window.h"

namespace halftone::qat {
namespace {

const std::vector<std::int64_t> kNoPadding{0, 0};

bool is_present(TorchInputs inputs, std::size_t i) { return i < inputs.size() && inputs[i].defined(); }

}  // namespace

torch::Tensor torch_form(const ir::Add&, TorchInputs inputs) { return inputs[0] + inputs[1]; }

torch::Tensor torch_form(const ir::MatMul&, TorchInputs inputs) { return at::matmul(inputs[0], inputs[1]); }

torch::Tensor torch_form(const ir::Gemm& op, TorchInputs inputs) {
  const torch::Tensor a = op.trans_a ? inputs[0].t() : inputs[0];
  const torch::Tensor b = op.trans_b ? inputs[1].t() : inputs[1];
  torch::Tensor y = at::mm(a, b);
  if (op.alpha != 1.0F) y = y * op.alpha;
  if (!is_present(inputs, 2)) return y;
  return op.beta == 1.0F ? y + inputs[2] : y + op.beta * inputs[2];
}

torch::Tensor torch_form(const ir::Conv& op, TorchInputs inputs) {
  const torch::Tensor& weights = inputs[1];
  const auto axes =
      ir::resolve(ir::kernel_window(op, weights.sizes().vec()), spatial_shape(inputs[0]), "Conv");
  const TorchWindow window = to_torch(axes);
  const torch::Tensor x = window.pad_first ? pad_explicitly(inputs[0], axes, 0.0) : inputs[0];
  const torch::Tensor bias = is_present(inputs, 2) ? inputs[2] : torch::Tensor();
  return at::conv2d(x, weights, bias, window.strides, window.padding, window.dilations, op.groups);
}

torch::Tensor torch_form(const ir::MaxPool& op, TorchInputs inputs) {
  const auto axes = ir::resolve(op.window, spatial_shape(inputs[0]), "MaxPool");
  const TorchWindow window = to_torch(axes);
  const bool pad_first = window.pad_first || !padding_fits_half_kernel(axes);
  const torch::Tensor x =
      pad_first ? pad_explicitly(inputs[0], axes, -std::numeric_limits<double>::infinity()) : inputs[0];
  return at::max_pool2d(x, window.kernel, window.strides, pad_first ? kNoPadding : window.padding,
                        window.dilations);
}

// The sum over each window, then the division: torch has no clipped windows with asymmetric padding or
// dilation.
torch::Tensor torch_form(const ir::AveragePool& op, TorchInputs inputs) {
  const auto axes = ir::resolve(op.window, spatial_shape(inputs[0]), "AveragePool");
  const TorchWindow window = to_torch(axes);
  const torch::Tensor x = pad_explicitly(inputs[0], axes, 0.0);
  if (window.dilations == std::vector<std::int64_t>{1, 1}) {
    const torch::Tensor sums = at::avg_pool2d(x, window.kernel, window.strides, {0, 0}, false, true, 1);
    return sums / window_counts(axes, op.count_include_pad);
  }
  const torch::Tensor ones = at::ones({x.size(1), 1, window.kernel[0], window.kernel[1]});
  const torch::Tensor sums =
      at::conv2d(x, ones, torch::Tensor(), window.strides, kNoPadding, window.dilations, x.size(1));
  return sums / window_counts(axes, op.count_include_pad);
}

torch::Tensor torch_form(const ir::GlobalAveragePool&, TorchInputs inputs) {
  std::vector<std::int64_t> space;
  for (std::int64_t d = 2; d < inputs[0].dim(); ++d) space.push_back(d);
  return inputs[0].mean(space, /*keepdim=*/true);
}

torch::Tensor torch_form(const ir::BatchNormalization& op, TorchInputs inputs) {
  return at::batch_norm(inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], /*training=*/false,
                        /*momentum=*/0.0, op.epsilon, /*cudnn_enabled=*/false);
}

torch::Tensor torch_form(const ir::Clip& op, TorchInputs inputs) { return inputs[0].clamp(op.lo, op.hi); }
torch::Tensor torch_form(const ir::Relu&, TorchInputs inputs) { return inputs[0].relu(); }
torch::Tensor torch_form(const ir::Sigmoid&, TorchInputs inputs) { return inputs[0].sigmoid(); }
torch::Tensor torch_form(const ir::Tanh&, TorchInputs inputs) { return inputs[0].tanh(); }

torch::Tensor torch_form(const ir::Softmax& op, TorchInputs inputs) {
  const torch::Tensor& x = inputs[0];
  if (!op.to_end) return x.softmax(op.axis);
  const auto axis = normalize_axis(op.axis, static_cast<std::size_t>(x.dim()), "Softmax");
  return x.flatten(axis).softmax(-1).reshape(x.sizes());
}

torch::Tensor torch_form(const ir::Identity&, TorchInputs inputs) { return inputs[0]; }

torch::Tensor torch_form(const ir::Flatten& op, TorchInputs inputs) {
  const Shape shape = inputs[0].sizes().vec();
  const auto axis = static_cast<std::size_t>(op.axis < 0 ? op.axis + inputs[0].dim() : op.axis);
  return inputs[0].reshape({product(shape, 0, axis), product(shape, axis, shape.size())});
}

torch::Tensor torch_form(const ir::Reshape& op, TorchInputs inputs) {
  std::vector<std::int64_t> shape(inputs[1].data_ptr<std::int64_t>(),
                                  inputs[1].data_ptr<std::int64_t>() + inputs[1].numel());
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 0 && !op.allow_zero) shape[i] = inputs[0].size(static_cast<std::int64_t>(i));
  return inputs[0].reshape(shape);
}

}  // namespace halftone::qat
