// Integers of formats that no ONNX type has, and roundings that QuantizeLinear does not know, in files.
#include "halftone/onnx_io/quantizers.h"

#include <gmock/gmock.h>

#include "halftone/numeric/arithmetic_spec.h"
#include "tests/ir/tensors.h"
#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

// Quantize and Dequantize of x [N, 3].
ir::Graph pair(const ir::QuantizeLinear& op, DType dtype, float scale, std::int32_t zero) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 3});
  const ir::ValueId s = g.add_constant("s", Tensor::from<float>({}, {&scale, 1}));
  const ir::ValueId z = g.add_constant("z", numeric::from_int32({}, {&zero, 1}, dtype));
  const ir::ValueId q = g.add_node(op, {x, s, z}, "q");
  g.outputs = {g.add_node(ir::DequantizeLinear{}, {q, s, z}, "y")};
  return g;
}

const ir::QuantizeLinear& quantizer_of(const ir::Graph& graph) {
  return std::get<ir::QuantizeLinear>(graph.nodes.at(graph.nodes.size() - 2).op);
}

TEST(Quantizers, FewerBitsThanTheTypeAreAClipInTheFileAndTheSameFunctionWhenRead) {
  for (int bits = 1; bits <= 16; ++bits)
    for (bool is_signed : {false, true})
      for (float scale : {0.1F, 3.0e-7F, 1.0F})
        for (int zero : {0, -1, 1}) {
          const numeric::IntegerFormat format{bits, is_signed, false};
          if (zero < format.qmin() || zero > format.qmax()) continue;
          const DType dtype = numeric::storage_dtype(format);
          const auto roundings = {numeric::Rounding::half_even, numeric::Rounding::half_away, numeric::Rounding::half_up};
          for (numeric::Rounding rounding : roundings) {
            const ir::Graph same = pair(ir::quantizer(format, rounding), dtype, scale, zero);
            const float ends[] = {scale * static_cast<float>(format.qmin() - zero), scale * static_cast<float>(format.qmax() - zero), 0.0F};
            const Tensor bounds = ir::floats({1, 3}, {ends[0], ends[1], ends[2]});
            EXPECT_EQ(ir::run(with_clips(same), {bounds}), ir::run(same, {bounds})) << bits << " " << scale;
          }
          const ir::Graph g = pair(ir::quantizer(format, numeric::Rounding::half_even), dtype, scale, zero);
          onnx::ModelProto proto;
          const std::string bytes = serialize_model(g);
          ASSERT_TRUE(proto.ParseFromString(bytes));
          const bool whole = bits == 2 || bits == 4 || bits == 8 || bits == 16;
          EXPECT_EQ(proto.graph().node_size(), whole ? 2 : 3) << bits;
          const ir::Graph read = parse(bytes);
          EXPECT_EQ(quantizer_of(read), quantizer_of(g)) << bits << " " << scale << " " << zero;
          EXPECT_EQ(serialize_model(read), bytes);
          const Tensor x = ir::floats({4, 3}, {-1e9F, 0.0F, 1e9F, 2.5F * scale, -1.5F * scale, scale, 7.5F * scale, -9.0F * scale,
                                               100.0F * scale, 31.0F * scale, 33.0F * scale, -33.0F * scale});
          EXPECT_EQ(ir::run(read, {x}), ir::run(g, {x}));
          EXPECT_EQ(ir::run(with_clips(g), {x}), ir::run(g, {x})) << bits << " " << is_signed << " " << scale << " " << zero;
        }
}

TEST(Quantizers, OtherClipsStay) {
  ir::Graph g = pair({}, DType::uint8, 0.5F, 0);
  const ir::ValueId x = g.inputs[0];
  const auto with_clip = [&](float lo, float hi) {
    ir::Graph clipped = g;
    const ir::ValueId bounded = clipped.add_node(ir::Clip{.lo = lo, .hi = hi}, {x}, "bounded");
    std::rotate(clipped.nodes.begin(), clipped.nodes.end() - 1, clipped.nodes.end());
    clipped.nodes[1].inputs[0] = bounded;
    return clipped;
  };
  EXPECT_EQ(quantizer_of(without_clips(with_clip(0.0F, 15.5F))).bits, 5);
  for (auto [lo, hi] : {std::pair{0.0F, 15.0F}, {-0.5F, 15.5F}, {0.0F, 127.5F}, {0.0F, 7.5F}})  // 7.5: uint4 holds it
    EXPECT_EQ(quantizer_of(without_clips(with_clip(lo, hi))).bits, 0) << lo << " " << hi;
  ir::Graph read_twice = with_clip(0.0F, 15.5F);
  read_twice.outputs.push_back(*read_twice.find("bounded"));
  EXPECT_EQ(quantizer_of(without_clips(read_twice)).bits, 0);
}

TEST(Quantizers, TheRoundingIsTheMetadatas) {
  for (auto rounding : {numeric::Rounding::half_even, numeric::Rounding::half_away, numeric::Rounding::half_up,
                        numeric::Rounding::floor}) {
    ir::Graph g = pair({.rounding = rounding}, DType::int8, 1.0F, 0);
    numeric::write_arithmetic({.rounding = rounding}, g.metadata);
    const ir::Graph read = parse(serialize_model(g));
    EXPECT_EQ(quantizer_of(read).rounding, rounding);
    const Tensor x = ir::floats({1, 3}, {0.5F, -2.5F, 1.7F});
    EXPECT_EQ(ir::run(read, {x}), ir::run(g, {x}));
  }
  ir::Graph g = pair({}, DType::int8, 1.0F, 0);
  numeric::write_arithmetic({}, g.metadata);
  g.metadata[std::string(numeric::kRoundingKey)] = "often";
  EXPECT_THAT(message_of<InputError>([&] { parse(serialize_model(g)); }), testing::HasSubstr("often"));
}

}  // namespace
}  // namespace halftone::onnx_io
