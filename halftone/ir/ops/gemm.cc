#include "halftone/ir/ops/gemm.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"

namespace halftone::ir {
namespace {

std::vector<double> matrix(const Tensor& tensor, bool transpose) {
  const auto values = tensor.data<float>();
  std::vector<double> result(values.begin(), values.end());
  if (!transpose) return result;
  const std::int64_t rows = tensor.dim(0);
  const std::int64_t columns = tensor.dim(1);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      result[static_cast<std::size_t>(c * rows + r)] = values[static_cast<std::size_t>(r * columns + c)];
  return result;
}

Shape output_shape(const Gemm& op, const Shape& a, const Shape& b) {
  if (a.size() != 2 || b.size() != 2)
    throw InputError(
        "Gemm", fmt::format("operands of shape {} and {}, expected matrices", to_string(a), to_string(b)));
  const std::int64_t inner_a = a[op.trans_a ? 0 : 1];
  const std::int64_t inner_b = b[op.trans_b ? 1 : 0];
  if (inner_a != inner_b && inner_a != kDynamic && inner_b != kDynamic)
    throw InputError("Gemm", fmt::format("inner dimensions differ, got {} and {}", inner_a, inner_b));
  return {a[op.trans_a ? 1 : 0], b[op.trans_b ? 0 : 1]};
}

}  // namespace

bool is_channel_bias(const Shape& c, std::int64_t channels) {
  return !c.empty() && c.back() == channels && product(c, 0, c.size() - 1) == 1;
}

void multiply(const double* a, const double* b, double* y, std::int64_t n, std::int64_t k, std::int64_t m) {
  std::fill(y, y + n * m, 0.0);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < k; ++j)
      for (std::int64_t c = 0; c < m; ++c) y[i * m + c] += a[i * k + j] * b[j * m + c];
}

std::vector<TensorType> infer(const Gemm& op, InputTypes inputs) {
  const Shape y = output_shape(op, inputs[0]->shape, inputs[1]->shape);
  if (has(inputs, 2) && broadcast_shape(inputs[2]->shape, y) != y)
    throw InputError("Gemm", fmt::format("C of shape {} does not broadcast to {}",
                                         to_string(inputs[2]->shape), to_string(y)));
  return {{DType::float32, y}};
}

std::vector<Tensor> evaluate(const Gemm& op, InputTensors inputs) {
  Tensor y(DType::float32, output_shape(op, inputs[0]->shape(), inputs[1]->shape()));
  const std::int64_t k = inputs[0]->dim(op.trans_a ? 0 : 1);
  std::vector<double> sums(static_cast<std::size_t>(y.size()));
  multiply(matrix(*inputs[0], op.trans_a).data(), matrix(*inputs[1], op.trans_b).data(), sums.data(),
           y.dim(0), k, y.dim(1));
  auto out = y.mutable_data<float>();
  if (!has(inputs, 2)) {
    for (std::size_t i = 0; i < sums.size(); ++i) out[i] = static_cast<float>(op.alpha * sums[i]);
    return {y};
  }
  const auto c = inputs[2]->data<float>();
  const auto index = broadcast_index(inputs[2]->shape(), y.shape());
  for (std::size_t i = 0; i < sums.size(); ++i)
    out[i] = static_cast<float>(op.alpha * sums[i] +
                                static_cast<double>(op.beta) * c[static_cast<std::size_t>(index[i])]);
  return {y};
}

}  // namespace halftone::ir
