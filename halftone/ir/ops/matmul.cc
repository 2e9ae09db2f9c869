#include "halftone/ir/ops/matmul.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/ir/ops/gemm.h"

namespace halftone::ir {
namespace {

Shape output_shape(const Shape& a, const Shape& b) {
  if (a.size() < 2 || b.size() < 2)
    throw UnsupportedError("MatMul",
                           fmt::format("operands of shape {} and {}, expected matrices or stacks of them",
                                       to_string(a), to_string(b)));
  const std::int64_t inner_a = a.back();
  const std::int64_t inner_b = b[b.size() - 2];
  if (inner_a != inner_b && inner_a != kDynamic && inner_b != kDynamic)
    throw InputError("MatMul", fmt::format("inner dimensions differ, got {} and {}", inner_a, inner_b));
  Shape y = broadcast_shape(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  y.push_back(a[a.size() - 2]);
  y.push_back(b.back());
  return y;
}

}  // namespace

std::vector<TensorType> infer(const MatMul&, InputTypes inputs) {
  return {{DType::float32, output_shape(inputs[0]->shape, inputs[1]->shape)}};
}

std::vector<Tensor> evaluate(const MatMul&, InputTensors inputs) {
  const Shape& a = inputs[0]->shape();
  const Shape& b = inputs[1]->shape();
  Tensor y(DType::float32, output_shape(a, b));
  const std::int64_t n = a[a.size() - 2];
  const std::int64_t k = a.back();
  const std::int64_t m = b.back();
  const Shape stack(y.shape().begin(), y.shape().end() - 2);
  const auto index_a = broadcast_index(Shape(a.begin(), a.end() - 2), stack);
  const auto index_b = broadcast_index(Shape(b.begin(), b.end() - 2), stack);
  const auto in_a = inputs[0]->data<float>();
  const auto in_b = inputs[1]->data<float>();
  const std::vector<double> wide_a(in_a.begin(), in_a.end());
  const std::vector<double> wide_b(in_b.begin(), in_b.end());
  std::vector<double> sums(static_cast<std::size_t>(y.size()));
  for (std::size_t s = 0; s < index_a.size(); ++s)
    multiply(wide_a.data() + index_a[s] * n * k, wide_b.data() + index_b[s] * k * m,
             sums.data() + static_cast<std::int64_t>(s) * n * m, n, k, m);
  std::ranges::transform(sums, y.mutable_data<float>().begin(),
                         [](double v) { return static_cast<float>(v); });
  return {y};
}

}  // namespace halftone::ir
