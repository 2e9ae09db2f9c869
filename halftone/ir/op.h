// Every operator of the graph: one struct each, in one variant. Each brings kName, arity(op), infer(op,
// types) and evaluate(op, tensors), found by overload; adding one is a file in ops/ and a row here.
#pragma once

#include <variant>

#include "halftone/ir/ops/batch_normalization.h"
#include "halftone/ir/ops/binary.h"
#include "halftone/ir/ops/cast.h"
#include "halftone/ir/ops/compare.h"
#include "halftone/ir/ops/conv.h"
#include "halftone/ir/ops/conv_transpose.h"
#include "halftone/ir/ops/depth_to_space.h"
#include "halftone/ir/ops/dropout.h"
#include "halftone/ir/ops/gemm.h"
#include "halftone/ir/ops/matmul.h"
#include "halftone/ir/ops/move.h"
#include "halftone/ir/ops/normalization.h"
#include "halftone/ir/ops/pad.h"
#include "halftone/ir/ops/pool.h"
#include "halftone/ir/ops/pow.h"
#include "halftone/ir/ops/qoperator.h"
#include "halftone/ir/ops/quant.h"
#include "halftone/ir/ops/quantize_linear.h"
#include "halftone/ir/ops/quantized.h"
#include "halftone/ir/ops/reduce.h"
#include "halftone/ir/ops/reshape.h"
#include "halftone/ir/ops/resize.h"
#include "halftone/ir/ops/shape.h"
#include "halftone/ir/ops/slice.h"
#include "halftone/ir/ops/softmax.h"
#include "halftone/ir/ops/unary.h"
#include "halftone/ir/ops/variadic.h"

namespace halftone::ir {

// clang-format off
using AnyOp = std::variant<
    Abs,
    Add,
    ArgMax,
    AveragePool,
    BatchNormalization,
    Cast,
    Clip,
    Concat,
    ConstantOfShape,
    Conv,
    ConvInteger,
    ConvTranspose,
    DepthToSpace,
    DequantizeLinear,
    Div,
    Dropout,
    DynamicQuantizeLinear,
    Elu,
    Equal,
    Erf,
    Exp,
    Expand,
    Flatten,
    Gather,
    Gelu,
    Gemm,
    GlobalAveragePool,
    GlobalMaxPool,
    Greater,
    GreaterOrEqual,
    Hardmax,
    HardSigmoid,
    HardSwish,
    Identity,
    InstanceNormalization,
    LayerNormalization,
    LeakyRelu,
    Less,
    LessOrEqual,
    Log,
    LogSoftmax,
    LRN,
    MatMul,
    MatMulInteger,
    Max,
    MaxPool,
    Mean,
    Min,
    Mul,
    Neg,
    Pad,
    Pow,
    PRelu,
    Quant,
    QGemm,
    QLinearAdd,
    QLinearAveragePool,
    QLinearConcat,
    QLinearConv,
    QLinearGlobalAveragePool,
    QLinearLeakyRelu,
    QLinearMatMul,
    QLinearMul,
    QLinearSigmoid,
    QuantizeLinear,
    Range,
    Reciprocal,
    ReduceMax,
    ReduceMean,
    ReduceMin,
    ReduceSum,
    Relu,
    Reshape,
    Resize,
    RMSNormalization,
    Round,
    Selu,
    ShapeOf,
    Sigmoid,
    Size,
    Slice,
    Softmax,
    SpaceToDepth,
    Split,
    Sqrt,
    Squeeze,
    Sub,
    Sum,
    Swish,
    Tanh,
    Transpose,
    Unsqueeze,
    Where>;
// clang-format on

// The variant with its copies in one file: not in every one that holds a graph.
struct Op : AnyOp {
  using AnyOp::AnyOp;
  Op();
  Op(const Op& other);
  Op(Op&& other) noexcept;
  Op& operator=(const Op& other);
  Op& operator=(Op&& other) noexcept;
  ~Op();
};

std::string_view name_of(const Op& op);
// "" for ONNX's own operators, else the domain that defines the op.
std::string_view domain_of(const Op& op);
// Conv, ConvTranspose, Gemm or MatMul: input 1 is weights.
bool is_linear(const Op& op);
// The dimension of those weights that counts output channels: 1 of [K, M] and of ConvTranspose's [C, M/G, …],
// else 0.
int weight_axis(const Op& op);
Arity arity_of(const Op& op);
// Whether the op is written for float32 and takes the other floating-point types through it: operands
// converted, the result converted back (a struct says so with kThroughFloat32).
bool is_through_float32(const Op& op);
std::vector<TensorType> infer_op(const Op& op, InputTypes inputs);
std::vector<Tensor> evaluate_op(const Op& op, InputTensors inputs);

}  // namespace halftone::ir
