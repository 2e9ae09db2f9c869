#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/ir/ops/qoperator.h"
#include "halftone/ir/ops/quantized.h"

namespace halftone::ir {
namespace {

// a and b as QLinearMatMul takes them: not transposed.
Tensor plain(const Tensor& matrix, bool transposed) {
  if (!transposed) return matrix;
  const Tensor* inputs[] = {&matrix};
  return evaluate(Transpose{.permutation = {1, 0}}, inputs)[0];
}

}  // namespace

std::vector<TensorType> infer(const QGemm& op, InputTypes inputs) {
  if (!has(inputs, 7) || !has(inputs, 8))
    throw UnsupportedError("QGemm", "float output, expected a scale and zero point");
  const TensorType a{DType::float32, inputs[0]->shape};
  const TensorType b{DType::float32, inputs[3]->shape};
  const TensorType* real[] = {&a, &b};
  if (op.op.alpha != 1.0F) throw UnsupportedError("QGemm", "alpha is not 1");
  if (has(inputs, 6) && inputs[6]->dtype != DType::int32)
    throw InputError("QGemm", fmt::format("C is {}, expected int32", name_of(inputs[6]->dtype)));
  return {{inputs[8]->dtype, infer(op.op, real)[0].shape}};
}

// A matrix product over one row of positions is a 1x1 convolution with a bias: x [N, K, 1], w [M, K, 1].
std::vector<Tensor> evaluate(const QGemm& op, InputTensors inputs) {
  const Tensor a = plain(*inputs[0], op.op.trans_a);
  const Tensor w = plain(*inputs[3], !op.op.trans_b);
  const Tensor x_positions = a.reshaped({a.dim(0), a.dim(1), 1});
  const Tensor w_positions = w.reshaped({w.dim(0), w.dim(1), 1});
  Tensor bias(DType::int32, {w.dim(0)});
  if (has(inputs, 6)) {
    if (!is_channel_bias(inputs[6]->shape(), w.dim(0)))
      throw UnsupportedError("QGemm", "C is not one number a column");
    bias = inputs[6]->reshaped({w.dim(0)});
  }
  const Tensor* operands[] = {&x_positions, inputs[1], inputs[2], &w_positions, inputs[4],
                              inputs[5],    inputs[7], inputs[8], &bias};
  return {evaluate(QLinearConv{}, operands)[0].reshaped({a.dim(0), w.dim(0)})};
}

}  // namespace halftone::ir
