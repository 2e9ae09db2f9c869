// The second half of every_op.h: reductions, slices, shapes, normalizations and operators on integers.
#pragma once

#include <map>
#include <string>

#include "tests/ir/tensors.h"

namespace halftone::onnx_io {

using Graphs = std::map<std::string, ir::Graph>;

inline void add_reductions(Graphs& graphs) {
  using namespace ir;
  graphs["reduce_sum"] = OneNode().input({kDynamic, 3, 4}).with(ReduceSum{{{1, -1}, false}});
  graphs["reduce_sum_all"] = OneNode().input({2, 3}).with(ReduceSum{});
  graphs["arg_max"] = OneNode().input({kDynamic, 3, 4}).with(ArgMax{-1, false, true});
  graphs["log_softmax"] = OneNode().input({2, 3, 4}).with(LogSoftmax{{.axis = 1}});
  graphs["hardmax_to_end"] = OneNode().input({2, 3, 4}).with(Hardmax{{.axis = 1, .to_end = true}});
  graphs["lrn"] = OneNode().input({kDynamic, 3, 4, 4}).with(LRN{3, 0.5F, 0.25F, 2.0F});
  const Tensor factors = random_floats({3}, 1);
  graphs["instance_normalization"] = OneNode()
                                         .input({kDynamic, 3, 4})
                                         .constant(factors)
                                         .constant(factors)
                                         .with(InstanceNormalization{1e-3F});
}

inline void add_shapes(Graphs& graphs) {
  using namespace ir;
  graphs["slice"] = OneNode().input({kDynamic, 5, 4}).with(Slice{{-1, 0}, {0, INT64_MAX}, {1, 2}, {-2, 3}});
  graphs["slice_plain"] = OneNode().input({4, 5}).with(Slice{{1}, {3}, {}, {}});
  graphs["gather"] = OneNode().input({kDynamic, 5}).constant(int64s({3, -1})).with(Gather{1});
  graphs["pad"] = OneNode().input({kDynamic, 3, 4}).with(Pad{{0, 1, -2, 0, 0, 3}, PadMode::constant, -1.5});
  graphs["pad_reflect"] = OneNode().input({3, 4}).with(Pad{{1, 0, 0, 2}, PadMode::reflect});
  graphs["pad_int64"] = OneNode().input({3}, DType::int64).with(Pad{{1, 1}, PadMode::constant, 7});
  graphs["expand"] = OneNode().input({3, 1}).with(Expand{{2, 1, 4}});
  graphs["resize_scales"] = OneNode().input({kDynamic, 2, 3, 5}).with(Resize{{}, {1, 1, 2, 1.5F}, true});
  graphs["resize_sizes"] =
      OneNode()
          .input({1, 2, 3, 5})
          .with(Resize{{1, 2, 7, 4}, {}, false, Coordinates::asymmetric, NearestMode::floor});
  graphs["cast"] = OneNode().input({kDynamic, 3}).with(Cast{DType::int32});
  graphs["where"] = OneNode().input({3}, DType::boolean).input({2, 3}).input({2, 1}).with(Where{});
  graphs["less"] = OneNode().input({2, 3}).input({3}).with(Less{});
  graphs["equal_int64"] = OneNode().input({2, 3}, DType::int64).input({3}, DType::int64).with(Equal{});
  graphs["pow_int32"] = OneNode().input({2, 3}).input({3}, DType::int32).with(Pow{});
  graphs["max"] = OneNode().input({2, 3}).input({3}).input({2, 1}).with(Max{});
  graphs["mean"] = OneNode().input({kDynamic, 3}).input({3}).with(Mean{});
}

inline void add_integer_operators(Graphs& graphs) {
  using namespace ir;
  const Tensor zero = Tensor::from<std::uint8_t>({}, std::vector<std::uint8_t>{3});
  const Tensor w = Tensor(DType::uint8, {2, 1, 2, 2});
  const Conv conv{.window = {.pads = {1, 0, 0, 1}}};
  graphs["conv_integer"] = OneNode()
                               .input({kDynamic, 1, 4, 4}, DType::uint8)
                               .constant(w)
                               .constant(zero)
                               .constant(zero)
                               .with(ConvInteger{conv});
  graphs["matmul_integer"] =
      OneNode().input({2, 3}, DType::int8).input({3, 4}, DType::int8).with(MatMulInteger{});
  graphs["qlinear_conv"] = OneNode()
                               .input({kDynamic, 1, 4, 4}, DType::uint8)
                               .constant(scalar_of(0.5F))
                               .constant(zero)
                               .constant(w)
                               .constant(scalar_of(0.25F))
                               .constant(zero)
                               .constant(scalar_of(2.0F))
                               .constant(zero)
                               .with(QLinearConv{conv});
  graphs["dynamic_quantize"] = OneNode().input({kDynamic, 3}).with(DynamicQuantizeLinear{});
  ir::Graph& dynamic = graphs["dynamic_quantize"];
  dynamic.nodes[0].outputs.push_back(dynamic.add_value("scale"));
  dynamic.nodes[0].outputs.push_back(dynamic.add_value("zero", DType::uint8));
  graphs["conv_transpose"] =
      OneNode()
          .input({kDynamic, 4, 3, 3})
          .constant(random_floats({4, 2, 3, 3}, 1))
          .with(ConvTranspose{{.strides = {2, 2}, .pads = {1, 1, 1, 1}}, 2, {1, 0}, {}});
  graphs["max_pool_1d"] = OneNode().input({kDynamic, 2, 9}).with(MaxPool{{.kernel = {3}, .pads = {1, 1}}});
}

// In operator sets that the installed ONNX does not check, or of other domains.
inline void add_newest_others(Graphs& graphs) {
  using namespace ir;
  graphs["reduce_mean"] = OneNode().input({kDynamic, 3, 4}).with(ReduceMean{{{1}, true}});
  graphs["reduce_max"] = OneNode().input({2, 3}, DType::int32).with(ReduceMax{{{0}, false}});
  graphs["layer_normalization"] =
      OneNode().input({kDynamic, 3, 4}).constant(random_floats({4}, 1)).with(LayerNormalization{});
  graphs["rms_normalization"] =
      OneNode().input({2, 3, 4}).constant(random_floats({3, 4}, 1)).with(RMSNormalization{1, 0.5F});
  graphs["resize_free_batch"] = OneNode().input({kDynamic, 2, 3, 5}).with(Resize{{kDynamic, 2, 6, 5}, {}});
  graphs["cast_int4"] = OneNode().input({3}).with(Cast{DType::int4});
  graphs["quantize_blocks"] = OneNode()
                                  .input({4, 3})
                                  .constant(floats({2, 3}, {1, 2, 0.5F, 0.25F, 4, 1}))
                                  .constant(Tensor(DType::uint4, {2, 3}))
                                  .with(QuantizeLinear{.axis = 0, .block_size = 2});
  graphs["dequantize_int2"] =
      OneNode().constant(Tensor(DType::int2, {5})).constant(scalar_of(0.5F)).with(DequantizeLinear{});
  graphs["quant"] = OneNode()
                        .input({kDynamic, 3})
                        .constant(scalar_of(0.5F))
                        .constant(scalar_of(1.0F))
                        .constant(scalar_of(3.0F))
                        .with(Quant{false, true, numeric::Rounding::floor});
}

}  // namespace halftone::onnx_io
