#include "halftone/ir/ops/quantized.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/ir/ops/matmul.h"
#include "halftone/numeric/quant_params.h"

namespace halftone::ir {
namespace {

void expect_bytes(const TensorType& type, std::string_view where) {
  if (type.dtype != DType::int8 && type.dtype != DType::uint8)
    throw InputError(where, fmt::format("operand is {}, expected int8 or uint8", name_of(type.dtype)));
}

// The shape with which a zero point or scale broadcasts: a scalar, or, for a list of one an index of the
// dimension `from_end` places before the last, [n, 1 …]; others are shaped to broadcast already.
Shape along(Shape shape, std::size_t from_end) {
  if (shape == Shape{1}) return {};
  if (shape.size() == 1) shape.resize(from_end + 1, 1);
  return shape;
}

// q − z as float32 (exact), z one number or one an index of a dimension.
Tensor centered(const Tensor& q, const Tensor* zero_point, std::size_t from_end, std::string_view where) {
  Tensor result = q.cast(DType::float32);
  if (zero_point == nullptr) return result;
  const Shape shape = along(zero_point->shape(), from_end);
  if (broadcast_shape(shape, q.shape()) != q.shape())
    throw InputError(where, fmt::format("zero points of shape {} for {}", to_string(zero_point->shape()),
                                        to_string(q.shape())));
  const auto index = broadcast_index(shape, q.shape());
  const std::vector<std::int32_t> zeros = numeric::to_int32(*zero_point);
  auto values = result.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] -= static_cast<float>(zeros[static_cast<std::size_t>(index[i])]);
  return result;
}

Tensor as_int32(const Shape& shape, const std::vector<double>& sums) {
  Tensor y(DType::int32, shape);
  std::ranges::transform(sums, y.mutable_data<std::int32_t>().begin(), [](double sum) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::int64_t>(sum)));  // wraps
  });
  return y;
}

// clamp(half_even(float(acc)·M) + z): `inputs` from 6 on are s_y and z; scale_b broadcasts to the output.
Tensor requantized(const Shape& shape, const std::vector<double>& acc, InputTensors inputs,
                   const Shape& scale_b, std::string_view where) {
  const Tensor a = inputs[1]->cast(DType::float32);
  const Tensor b = inputs[4]->cast(DType::float32);
  const Tensor y = inputs[6]->cast(DType::float32);
  if (y.size() != 1 || inputs[7]->size() != 1)
    throw UnsupportedError(where, "output scales by channel, expected one scale");
  const Shape scale_a = along(a.shape(), 1);
  if (broadcast_shape(broadcast_shape(scale_a, shape), scale_b) != shape)
    throw InputError(where, fmt::format("scales of shape {} and {} for an output of {}", to_string(a.shape()),
                                        to_string(b.shape()), to_string(shape)));
  const auto index_a = broadcast_index(scale_a, shape);
  const auto index_b = broadcast_index(scale_b, shape);
  const std::int32_t zero = numeric::to_int32(*inputs[7])[0];
  const bool is_signed = inputs[7]->dtype() == DType::int8;
  std::vector<std::int32_t> q(acc.size());
  for (std::size_t i = 0; i < q.size(); ++i) {
    const float product = a.data<float>()[static_cast<std::size_t>(index_a[i])] *
                          b.data<float>()[static_cast<std::size_t>(index_b[i])];
    const float M = product / y.data<float>()[0];
    const float real = static_cast<float>(acc[i]) * M;
    const double rounded =
        numeric::round_real(std::isnan(real) ? 0.0F : real, numeric::Rounding::half_even) + zero;
    q[i] =
        static_cast<std::int32_t>(std::clamp(rounded, is_signed ? -128.0 : 0.0, is_signed ? 127.0 : 255.0));
  }
  return numeric::from_int32(shape, q, inputs[7]->dtype());
}

const Tensor* optional(InputTensors inputs, std::size_t i) { return has(inputs, i) ? inputs[i] : nullptr; }

}  // namespace

std::vector<TensorType> infer(const ConvInteger& op, InputTypes inputs) {
  expect_bytes(*inputs[0], "ConvInteger");
  expect_bytes(*inputs[1], "ConvInteger");
  return {{DType::int32, conv_shape(op.conv, inputs[0]->shape, inputs[1]->shape)}};
}

std::vector<TensorType> infer(const MatMulInteger&, InputTypes inputs) {
  expect_bytes(*inputs[0], "MatMulInteger");
  expect_bytes(*inputs[1], "MatMulInteger");
  return {{DType::int32, matmul_shape(inputs[0]->shape, inputs[1]->shape)}};
}

std::vector<TensorType> infer(const QLinearConv& op, InputTypes inputs) {
  for (std::size_t i : {0, 2, 3, 5, 7}) expect_bytes(*inputs[i], "QLinearConv");
  if (has(inputs, 8) && inputs[8]->dtype != DType::int32)
    throw InputError("QLinearConv", fmt::format("bias is {}, expected int32", name_of(inputs[8]->dtype)));
  return {{inputs[7]->dtype, conv_shape(op.conv, inputs[0]->shape, inputs[3]->shape)}};
}

std::vector<TensorType> infer(const QLinearMatMul&, InputTypes inputs) {
  for (std::size_t i : {0, 2, 3, 5, 7}) expect_bytes(*inputs[i], "QLinearMatMul");
  return {{inputs[7]->dtype, matmul_shape(inputs[0]->shape, inputs[3]->shape)}};
}

std::vector<TensorType> infer(const DynamicQuantizeLinear&, InputTypes inputs) {
  if (inputs[0]->dtype != DType::float32)
    throw InputError("DynamicQuantizeLinear",
                     fmt::format("x is {}, expected float32", name_of(inputs[0]->dtype)));
  return {{DType::uint8, inputs[0]->shape}, {DType::float32, {}}, {DType::uint8, {}}};
}

std::vector<Tensor> evaluate(const ConvInteger& op, InputTensors inputs) {
  const Tensor x = centered(*inputs[0], optional(inputs, 2), 0, "ConvInteger");
  const Tensor w = centered(*inputs[1], optional(inputs, 3), inputs[1]->rank() - 1, "ConvInteger");
  return {as_int32(conv_shape(op.conv, x.shape(), w.shape()), convolve(op.conv, x, w))};
}

std::vector<Tensor> evaluate(const MatMulInteger&, InputTensors inputs) {
  const Tensor a = centered(*inputs[0], optional(inputs, 2), 1, "MatMulInteger");
  const Tensor b = centered(*inputs[1], optional(inputs, 3), 0, "MatMulInteger");
  return {as_int32(matmul_shape(a.shape(), b.shape()), matrix_product(a, b))};
}

std::vector<Tensor> evaluate(const QLinearConv& op, InputTensors inputs) {
  const Tensor x = centered(*inputs[0], inputs[2], 0, "QLinearConv");
  const Tensor w = centered(*inputs[3], inputs[5], inputs[3]->rank() - 1, "QLinearConv");
  const Shape shape = conv_shape(op.conv, x.shape(), w.shape());
  std::vector<double> acc = convolve(op.conv, x, w);
  if (has(inputs, 8)) {
    const auto bias = inputs[8]->data<std::int32_t>();
    if (static_cast<std::int64_t>(bias.size()) != shape[1])
      throw InputError("QLinearConv", fmt::format("{} biases for {} channels", bias.size(), shape[1]));
    const auto area = static_cast<std::size_t>(product(shape, 2, shape.size()));
    for (std::size_t i = 0; i < acc.size(); ++i) acc[i] += bias[i / area % bias.size()];
  }
  return {requantized(shape, acc, inputs, along(inputs[4]->shape(), shape.size() - 2), "QLinearConv")};
}

std::vector<Tensor> evaluate(const QLinearMatMul&, InputTensors inputs) {
  const Tensor a = centered(*inputs[0], inputs[2], 1, "QLinearMatMul");
  const Tensor b = centered(*inputs[3], inputs[5], 0, "QLinearMatMul");
  return {requantized(matmul_shape(a.shape(), b.shape()), matrix_product(a, b), inputs,
                      along(inputs[4]->shape(), 0), "QLinearMatMul")};
}

std::vector<Tensor> evaluate(const DynamicQuantizeLinear&, InputTensors inputs) {
  const auto x = inputs[0]->data<float>();
  float lo = 0.0F;
  float hi = 0.0F;
  for (float v : x) {
    if (!std::isfinite(v)) throw InputError("DynamicQuantizeLinear", fmt::format("x holds {}", v));
    lo = std::min(lo, v);
    hi = std::max(hi, v);
  }
  // A range without width, which the operator leaves open: scale 1.
  const float scale = hi > lo ? (hi - lo) / 255.0F : 1.0F;
  const numeric::IntegerFormat format{8, false, false};
  const std::int32_t zero = numeric::quantize(0.0F - lo, {scale, 0}, format);
  std::vector<std::int32_t> q;
  for (float v : x) q.push_back(numeric::quantize(v, {scale, zero}, format));
  return {numeric::from_int32(inputs[0]->shape(), q, DType::uint8), Tensor::from<float>({}, {&scale, 1}),
          numeric::from_int32({}, {&zero, 1}, DType::uint8)};
}

}  // namespace halftone::ir
