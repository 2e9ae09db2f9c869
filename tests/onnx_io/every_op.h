// Small graphs that together have every op and every attribute.
#pragma once

#include <map>
#include <string>

#include "tests/ir/tensors.h"
#include "tests/onnx_io/every_other_op.h"

namespace halftone::onnx_io {

inline void add_windows(Graphs& graphs) {
  using namespace ir;
  const Window odd{.kernel = {3, 2}, .strides = {2, 1}, .pads = {1, 0, 2, 1}};
  Window dilated = odd;
  dilated.dilations = {1, 2};
  graphs["conv"] = OneNode()
                       .input({kDynamic, 4, 6, 5})
                       .constant(random_floats({6, 2, 3, 2}, 1))
                       .constant(random_floats({6}, 2))
                       .with(Conv{dilated, 2});
  graphs["conv_kernel_from_weights"] =
      OneNode().input({2, 1, 4, 4}).constant(random_floats({3, 1, 2, 2}, 3)).with(Conv{});
  graphs["conv_same_upper"] = OneNode()
                                  .input({1, 1, 5, 5})
                                  .constant(random_floats({1, 1, 2, 2}, 4))
                                  .with(Conv{{.auto_pad = AutoPad::same_upper}});
  graphs["conv_same_lower"] = OneNode()
                                  .input({1, 1, 5, 5})
                                  .constant(random_floats({1, 1, 2, 2}, 5))
                                  .with(Conv{{.auto_pad = AutoPad::same_lower}});
  graphs["conv_valid"] = OneNode()
                             .input({1, 1, 5, 5})
                             .constant(random_floats({1, 1, 2, 2}, 6))
                             .with(Conv{{.strides = {2, 2}, .auto_pad = AutoPad::valid}});
  Window ceil = odd;
  ceil.ceil_mode = true;
  graphs["max_pool"] =
      OneNode().input({kDynamic, 2, 6, 5}).with(MaxPool{{.kernel = {2, 2}, .dilations = {2, 1}}});
  graphs["max_pool_ceil"] =
      OneNode().input({1, 2, 6, 5}).with(MaxPool{{.kernel = {3, 2}, .strides = {2, 2}, .ceil_mode = true}});
  graphs["average_pool"] = OneNode().input({kDynamic, 2, 6, 5}).with(AveragePool{odd});
  graphs["average_pool_counting_pads"] = OneNode().input({1, 2, 6, 5}).with(AveragePool{ceil, true});
  graphs["global_average_pool"] = OneNode().input({kDynamic, 3, 4, 5}).with(GlobalAveragePool{});
  graphs["global_max_pool"] = OneNode().input({kDynamic, 3, 4, 5}).with(GlobalMaxPool{});
}

inline void add_linear(Graphs& graphs) {
  using namespace ir;
  graphs["gemm"] = OneNode()
                       .input({3, 4})
                       .constant(random_floats({5, 3}, 1))
                       .constant(random_floats({4, 1}, 2))
                       .with(Gemm{0.5F, -2.0F, true, true});
  graphs["gemm_plain"] = OneNode().input({kDynamic, 4}).constant(random_floats({4, 2}, 3)).with(Gemm{});
  graphs["matmul"] = OneNode().input({2, 1, 3, 4}).input({5, 4, 2}).with(MatMul{});
  graphs["add"] = OneNode().input({kDynamic, 3, 1}).input({3, 4}).with(Add{});
  graphs["batch_normalization"] = OneNode()
                                      .input({kDynamic, 2, 3, 3})
                                      .constant(floats({2}, {1.0F, -2.0F}))
                                      .constant(floats({2}, {0.5F, 0.0F}))
                                      .constant(floats({2}, {0.25F, -1.0F}))
                                      .constant(floats({2}, {1.0F, 4.0F}))
                                      .with(BatchNormalization{1e-3F});
}

inline void add_binary(Graphs& graphs) {
  using namespace ir;
  graphs["sub"] = OneNode().input({kDynamic, 3, 1}).input({3, 4}).with(Sub{});
  graphs["mul"] = OneNode().input({2, 3}).constant(random_floats({3}, 1)).with(Mul{});
  graphs["div"] = OneNode().input({2, 3}).input({}).with(Div{});
  graphs["prelu"] = OneNode().input({kDynamic, 3, 2}).constant(random_floats({3, 1}, 2)).with(PRelu{});
  graphs["add_int32"] = OneNode().input({2, 3}, DType::int32).input({3}, DType::int32).with(Add{});
  graphs["mul_uint64"] = OneNode().input({2, 3}, DType::uint64).input({3}, DType::uint64).with(Mul{});
  graphs["sub_float16"] = OneNode().input({2, 3}, DType::float16).input({3}, DType::float16).with(Sub{});
  graphs["add_bfloat16"] = OneNode().input({2, 3}, DType::bfloat16).input({3}, DType::bfloat16).with(Add{});
}

inline void add_functions(Graphs& graphs) {
  using namespace ir;
  graphs["neg"] = OneNode().input({2, 3}).with(Neg{});
  graphs["neg_int64"] = OneNode().input({2, 3}, DType::int64).with(Neg{});
  graphs["abs"] = OneNode().input({kDynamic, 3}).with(Abs{});
  graphs["sqrt"] = OneNode().input({2, 3}).with(Sqrt{});
  graphs["exp"] = OneNode().input({2, 3}).with(Exp{});
  graphs["log"] = OneNode().input({2, 3}).with(Log{});
  graphs["erf"] = OneNode().input({2, 3}).with(Erf{});
  graphs["reciprocal"] = OneNode().input({2, 3}).with(Reciprocal{});
  graphs["round"] = OneNode().input({2, 3}).with(Round{});
  graphs["hard_swish"] = OneNode().input({2, 3}).with(HardSwish{});
  graphs["leaky_relu"] = OneNode().input({2, 3}).with(LeakyRelu{0.25F});
  graphs["elu"] = OneNode().input({2, 3}).with(Elu{1.5F});
  graphs["selu"] = OneNode().input({2, 3}).with(Selu{1.25F, 0.75F});
  graphs["selu_plain"] = OneNode().input({2, 3}).with(Selu{});
  graphs["hard_sigmoid"] = OneNode().input({2, 3}).with(HardSigmoid{0.25F, 0.375F});
  graphs["relu_float16"] = OneNode().input({2, 3}, DType::float16).with(Relu{});
}

// In operator sets that the installed ONNX does not check.
inline void add_newest(Graphs& graphs) {
  using namespace ir;
  graphs["gelu"] = OneNode().input({2, 3}).with(Gelu{});
  graphs["gelu_tanh"] = OneNode().input({2, 3}).with(Gelu{true});
  graphs["swish"] = OneNode().input({kDynamic, 3}).with(Swish{1.5F});
}

inline void add_elementwise(Graphs& graphs) {
  using namespace ir;
  graphs["relu"] = OneNode().input({kDynamic, 3}).with(Relu{});
  graphs["tanh"] = OneNode().input({2, 3}).with(Tanh{});
  graphs["sigmoid"] = OneNode().input({2, 3}).with(Sigmoid{});
  graphs["clip"] = OneNode().input({2, 3}).with(Clip{-1.5F, 6.0F});
  graphs["clip_without_bounds"] = OneNode().input({2, 3}).with(Clip{});
  graphs["softmax"] = OneNode().input({2, 3, 4}).with(Softmax{{.axis = 1}});
  graphs["softmax_to_end"] = OneNode().input({2, 3, 4}).with(Softmax{{.axis = 1, .to_end = true}});
}

inline void add_moves(Graphs& graphs) {
  using namespace ir;
  graphs["identity"] = OneNode().input({kDynamic, 3}).with(Identity{});
  graphs["flatten"] = OneNode().input({2, 3, 4}).with(Flatten{2});
  graphs["flatten_from_end"] = OneNode().input({2, 3, 4}).with(Flatten{-1});
  graphs["reshape"] = OneNode().input({kDynamic, 2, 6}).constant(int64s({0, 3, -1})).with(Reshape{});
  graphs["transpose"] = OneNode().input({kDynamic, 3, 4}).with(Transpose{{0, 2, 1}});
  graphs["transpose_reversed"] = OneNode().input({2, 3, 4}, DType::int16).with(Transpose{});
  graphs["concat"] = OneNode().input({kDynamic, 3}).input({kDynamic, 1}).input({kDynamic, 2}).with(Concat{1});
  graphs["concat_from_end"] = OneNode().input({2, 3}).constant(random_floats({2, 4}, 1)).with(Concat{-1});
  graphs["squeeze"] = OneNode().input({kDynamic, 1, 3, 1}).with(Squeeze{{1, -1}});
  graphs["squeeze_all"] = OneNode().input({2, 1, 3, 1}).with(Squeeze{});
  graphs["unsqueeze"] = OneNode().input({kDynamic, 3}).with(Unsqueeze{{1, -1}});
  graphs["depth_to_space"] = OneNode().input({kDynamic, 8, 2, 3}).with(DepthToSpace{2});
  graphs["depth_to_space_columns_last"] =
      OneNode().input({1, 9, 2, 3}, DType::int8).with(DepthToSpace{3, true});
  graphs["space_to_depth"] = OneNode().input({kDynamic, 2, 4, 6}).with(SpaceToDepth{2});
  graphs["reshape_allow_zero"] = OneNode().input({2, 6}).constant(int64s({3, 4})).with(Reshape{true});
}

inline void add_quantization(Graphs& graphs) {
  using namespace ir;
  const Tensor zero = Tensor::from<std::int8_t>({}, std::vector<std::int8_t>{-3});
  const Tensor zeros = Tensor::from<std::uint8_t>({3}, std::vector<std::uint8_t>{0, 128, 255});
  graphs["quantize"] =
      OneNode().input({kDynamic, 3}).constant(scalar_of(0.5F)).constant(zero).with(QuantizeLinear{});
  graphs["quantize_without_zero_point"] =
      OneNode().input({2, 3}).constant(scalar_of(0.5F)).with(QuantizeLinear{});
  graphs["quantize_by_axis"] = OneNode()
                                   .input({3, 2})
                                   .constant(floats({3}, {0.5F, 0.25F, 2.0F}))
                                   .constant(zeros)
                                   .with(QuantizeLinear{0});
  graphs["dequantize"] = OneNode()
                             .input({kDynamic, 3}, DType::int8)
                             .constant(scalar_of(0.5F))
                             .constant(zero)
                             .with(DequantizeLinear{});
  graphs["dequantize_by_axis"] = OneNode()
                                     .input({3, 2}, DType::uint8)
                                     .constant(floats({3}, {0.5F, 0.25F, 2.0F}))
                                     .constant(zeros)
                                     .with(DequantizeLinear{-2});
  graphs["dequantize_int32"] =
      OneNode().input({2, 3}, DType::int32).constant(scalar_of(0.5F)).with(DequantizeLinear{});
}

inline Graphs graphs_of_every_op(bool newest = true) {
  Graphs graphs;
  add_windows(graphs);
  add_linear(graphs);
  add_binary(graphs);
  add_functions(graphs);
  add_reductions(graphs);
  add_shapes(graphs);
  add_integer_operators(graphs);
  if (newest) add_newest(graphs);
  if (newest) add_newest_others(graphs);
  add_elementwise(graphs);
  add_moves(graphs);
  add_quantization(graphs);
  for (auto& [name, graph] : graphs) {
    graph.name = name;
    graph.metadata = {{"halftone.preprocessing", "raw"}, {"note", "\u00e9"}};
  }
  return graphs;
}

// A quantized Conv with ReLU, pooling, Flatten and Gemm: 1x6x6 to 3 numbers.
inline ir::Graph quantized_network() {
  using namespace ir;
  Graph g;
  const auto pair = [&](ValueId x, float scale, std::int8_t zero, const std::string& name) {
    const ValueId s = g.add_constant(name + "_scale", scalar_of(scale));
    const ValueId z =
        g.add_constant(name + "_zero", Tensor::from<std::int8_t>({}, std::vector<std::int8_t>{zero}));
    const ValueId q = g.add_node(QuantizeLinear{}, {x, s, z}, name + "_q");
    return g.add_node(DequantizeLinear{}, {q, s, z}, name + "_dq");
  };
  const auto weights = [&](Shape shape, int axis, std::int64_t channels, const std::string& name) {
    Tensor q(DType::int8, std::move(shape));
    int next = -5;
    for (std::int8_t& v : q.mutable_data<std::int8_t>())
      v = static_cast<std::int8_t>(next = (next * 7 + 11) % 127);
    const ValueId id = g.add_constant(name + "_q", q);
    const ValueId s =
        g.add_constant(name + "_scale",
                       floats({channels}, std::vector<float>(static_cast<std::size_t>(channels), 0.03125F)));
    const ValueId z = g.add_constant(name + "_zero", Tensor(DType::int8, {channels}));
    return g.add_node(DequantizeLinear{axis}, {id, s, z}, name + "_dq");
  };
  const auto bias = [&](std::int64_t channels, const std::string& name) {
    const ValueId id = g.add_constant(name + "_q", Tensor(DType::int32, {channels}));
    const ValueId s = g.add_constant(name + "_scale", scalar_of(0.25F * 0.03125F));
    return g.add_node(DequantizeLinear{0}, {id, s}, name + "_dq");
  };
  ValueId x = pair(g.add_input("x", DType::float32, {kDynamic, 1, 6, 6}), 0.25F, 3, "x");
  x = g.add_node(Conv{{.kernel = {3, 3}, .pads = {1, 1, 1, 1}}},
                 {x, weights({2, 1, 3, 3}, 0, 2, "w"), bias(2, "b")}, "conv");
  x = pair(g.add_node(Relu{}, {x}, "relu"), 0.25F, -128, "r");
  x = pair(g.add_node(MaxPool{{.kernel = {2, 2}, .strides = {2, 2}}}, {x}, "pool"), 0.25F, -128, "p");
  x = g.add_node(Reshape{}, {x, g.add_constant("shape", int64s({0, -1}))}, "flat");
  g.outputs = {pair(g.add_node(Gemm{.trans_b = true}, {x, weights({3, 18}, 0, 3, "v"), bias(3, "c")}, "gemm"),
                    0.5F, 0, "y")};
  g.metadata = {{"halftone.arithmetic", "fixed"},
                {"halftone.arithmetic_version", "1"},
                {"halftone.mantissa_bits", "32"}};
  return g;
}

}  // namespace halftone::onnx_io
