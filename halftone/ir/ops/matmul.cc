#include "halftone/ir/ops/matmul.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/ir/ops/gemm.h"

namespace halftone::ir {
namespace {

// A vector as the matrix it stands for.
Shape as_matrix(Shape shape, bool left) {
  if (shape.size() == 1) shape.insert(left ? shape.begin() : shape.end(), 1);
  return shape;
}

}  // namespace

Shape matmul_shape(const Shape& a, const Shape& b) {
  if (a.empty() || b.empty())
    throw InputError("MatMul", fmt::format("operands of shape {} and {}, expected vectors or matrices",
                                           to_string(a), to_string(b)));
  const Shape left = as_matrix(a, true);
  const Shape right = as_matrix(b, false);
  const std::int64_t inner_a = left.back();
  const std::int64_t inner_b = right[right.size() - 2];
  if (inner_a != inner_b && inner_a != kDynamic && inner_b != kDynamic)
    throw InputError("MatMul", fmt::format("inner dimensions differ, got {} and {}", inner_a, inner_b));
  Shape y = broadcast_shape(Shape(left.begin(), left.end() - 2), Shape(right.begin(), right.end() - 2));
  if (a.size() > 1) y.push_back(a[a.size() - 2]);
  if (b.size() > 1) y.push_back(b.back());
  return y;
}

std::vector<double> matrix_product(const Tensor& left, const Tensor& right) {
  const Shape a = as_matrix(left.shape(), true);
  const Shape b = as_matrix(right.shape(), false);
  const std::int64_t n = a[a.size() - 2];
  const std::int64_t k = a.back();
  const std::int64_t m = b.back();
  const Shape stack_a(a.begin(), a.end() - 2);
  const Shape stack_b(b.begin(), b.end() - 2);
  const Shape stack = broadcast_shape(stack_a, stack_b);
  const auto index_a = broadcast_index(stack_a, stack);
  const auto index_b = broadcast_index(stack_b, stack);
  const std::vector<double> wide_a(left.data<float>().begin(), left.data<float>().end());
  const std::vector<double> wide_b(right.data<float>().begin(), right.data<float>().end());
  std::vector<double> sums(
      static_cast<std::size_t>(element_count(matmul_shape(left.shape(), right.shape()))));
  for (std::size_t s = 0; s < index_a.size(); ++s)
    multiply(wide_a.data() + index_a[s] * n * k, wide_b.data() + index_b[s] * k * m,
             sums.data() + static_cast<std::int64_t>(s) * n * m, n, k, m);
  return sums;
}

std::vector<TensorType> infer(const MatMul&, InputTypes inputs) {
  return {{DType::float32, matmul_shape(inputs[0]->shape, inputs[1]->shape)}};
}

std::vector<Tensor> evaluate(const MatMul&, InputTensors inputs) {
  Tensor y(DType::float32, matmul_shape(inputs[0]->shape(), inputs[1]->shape()));
  std::ranges::transform(matrix_product(*inputs[0], *inputs[1]), y.mutable_data<float>().begin(),
                         [](double v) { return static_cast<float>(v); });
  return {y};
}

}  // namespace halftone::ir
