// Every operator of the graph: one struct each, in one variant. Each brings kName, arity(op), infer(op,
// types) and evaluate(op, tensors), found by overload; adding one is a file in ops/ and a row here.
#pragma once

#include <variant>

#include "halftone/ir/ops/batch_normalization.h"
#include "halftone/ir/ops/binary.h"
#include "halftone/ir/ops/conv.h"
#include "halftone/ir/ops/gemm.h"
#include "halftone/ir/ops/matmul.h"
#include "halftone/ir/ops/move.h"
#include "halftone/ir/ops/pool.h"
#include "halftone/ir/ops/quantize_linear.h"
#include "halftone/ir/ops/reshape.h"
#include "halftone/ir/ops/softmax.h"
#include "halftone/ir/ops/unary.h"

namespace halftone::ir {

// clang-format off
using Op = std::variant<
    Abs,
    Add,
    AveragePool,
    BatchNormalization,
    Clip,
    Concat,
    Conv,
    DequantizeLinear,
    Div,
    Elu,
    Erf,
    Exp,
    Flatten,
    Gelu,
    Gemm,
    GlobalAveragePool,
    GlobalMaxPool,
    HardSigmoid,
    HardSwish,
    Identity,
    LeakyRelu,
    Log,
    MatMul,
    MaxPool,
    Mul,
    Neg,
    PRelu,
    QuantizeLinear,
    Reciprocal,
    Relu,
    Reshape,
    Round,
    Selu,
    Sigmoid,
    Softmax,
    Sqrt,
    Squeeze,
    Sub,
    Swish,
    Tanh,
    Transpose,
    Unsqueeze>;
// clang-format on

std::string_view name_of(const Op& op);
// Conv, Gemm or MatMul: input 1 is weights.
bool is_linear(const Op& op);
// Whether those weights are [K, M], output channels last (otherwise [M, ...]).
bool has_channels_last(const Op& op);
Arity arity_of(const Op& op);
std::vector<TensorType> infer_op(const Op& op, InputTypes inputs);
std::vector<Tensor> evaluate_op(const Op& op, InputTensors inputs);

}  // namespace halftone::ir
