// Where a network begins and ends: integer inputs and outputs, names, scales that no network may have.
#include "tests/lower/network.h"

namespace halftone::qgraph {
namespace {

using testing::HasSubstr;

TEST(LowerBoundary, OutputsKeepTheirNames) {
  Network pair;
  QuantizedGraph quantized = pair.lowered(pair.pair(pair.gemm(pair.start(), "gemm"), kQuarter, "y"));
  EXPECT_EQ(quantized.value(quantized.outputs[0]).name, "y_dq");
  Network moved;
  quantized = moved.lowered(moved.node(ir::Flatten{}, {moved.start()}, "result"));
  EXPECT_EQ(quantized.value(quantized.outputs[0]).name, "result");
  Network input;
  quantized = input.lowered(input.input({2}));
  EXPECT_EQ(quantized.value(quantized.outputs[0]).name, "x0");
}

TEST(LowerBoundary, IntegerInputsAndOutputsOfTheGraph) {
  Network g;
  const ir::ValueId x = g.dequantize(g.input({kDynamic, 2}, DType::uint8), {0.5F, 128, DType::uint8}, "x");
  const QuantizedGraph quantized = g.lowered(g.quantize(g.gemm(x, "gemm"), kQuarter, "y"));
  EXPECT_EQ(ops_of(quantized), "Gemm");
  EXPECT_TRUE(quantized.integer_only());
  EXPECT_EQ(quantized.value(quantized.outputs[0]).dtype, DType::int8);
  expect_like_simulation(g.graph, quantized);
  const Tensor wrong(DType::int8, {1, 2});
  EXPECT_THROW(Interpreter(quantized).run({&wrong, 1}), InputError);
}

TEST(LowerBoundary, AnIntegerInputThatIsMovedBeforeItIsDequantized) {
  for (const ir::Op& op : {ir::Op(ir::Flatten{}), ir::Op(ir::Identity{})}) {
    Network g;
    const ir::ValueId moved = g.node(op, {g.input({kDynamic, 2}, DType::int8)}, "moved");
    g.graph.outputs = {g.quantize(g.gemm(g.dequantize(moved, kHalf, "x"), "gemm"), kQuarter, "y")};
    QuantizedGraph quantized;
    try {
      quantized = lower::lower(g.graph);
    } catch (const UnsupportedError&) {
      continue;
    }
    EXPECT_TRUE(quantized.integer_only()) << ir::name_of(op);
    expect_like_simulation(g.graph, quantized);
  }
}

TEST(LowerBoundary, AConstantMayBeAnOutput) {
  Network g;
  const ir::ValueId y = g.pair(g.gemm(g.start(), "gemm"), kQuarter, "y");
  const Tensor anchors = ir::floats({3}, {1, 2, 3});
  const Tensor places = ir::int64s({4, 5});
  g.graph.outputs = {g.graph.add_constant("anchors", anchors), y, g.graph.add_constant("places", places)};
  const QuantizedGraph quantized = lower::lower(g.graph);
  EXPECT_TRUE(quantized.integer_only());
  const Tensor x = ir::random_floats({3, 2}, 1);
  const std::vector<Tensor> outputs = Interpreter(quantized).run({&x, 1});
  EXPECT_TRUE(outputs.at(0) == anchors);
  EXPECT_TRUE(outputs.at(2) == places);
  expect_like_simulation(g.graph, quantized);
}

TEST(LowerBoundary, RealsOfAnotherTypeThanFloat32AreRefusedByName) {
  for (DType dtype : {DType::float16, DType::float64}) {
    Network g;
    const ir::ValueId y = g.quantize(g.input({1}, dtype), kHalf, "y");
    EXPECT_THAT(message_of<UnsupportedError>([&] { g.lowered(y); }),
                testing::AllOf(HasSubstr("QuantizeLinear"), HasSubstr(name_of(dtype))));
  }
}

TEST(LowerBoundary, AnIntegerInputWithoutScalesMayPassThrough) {
  Network g;
  const QuantizedGraph quantized = g.lowered(g.input({kDynamic, 2}, DType::int8));
  const Tensor x = int8s({1, 2}, {1, 2});
  EXPECT_TRUE(Interpreter(quantized).run({&x, 1}).at(0) == x);
}

TEST(LowerBoundary, AnIntegerInputDequantizedOnTwoGridsIsTwoReals) {
  Network g;
  const ir::ValueId x = g.input({kDynamic, 2}, DType::int8);
  const ir::ValueId a = g.dequantize(x, kHalf, "a");
  const ir::ValueId b = g.dequantize(x, kQuarter, "b");
  g.graph.outputs = {g.quantize(g.gemm(a, "ga"), kQuarter, "ya"),
                     g.quantize(g.gemm(b, "gb"), kQuarter, "yb")};
  expect_like_simulation(g.graph, lower::lower(g.graph));
}

TEST(LowerBoundary, ActivationsByAxisAreRefusedOrFloat) {
  for (bool integer_input : {false, true}) {
    Network g;
    const Shape shape{kDynamic, 2};
    const ir::ValueId s = g.graph.add_constant("s", ir::floats({2}, {0.5F, 4.0F}));
    const ir::ValueId z = g.graph.add_constant("z", int8s({2}, {0, 5}));
    const ir::ValueId q = integer_input
                              ? g.input(shape, DType::int8)
                              : g.graph.add_node(ir::QuantizeLinear{1}, {g.input(shape), s, z}, "q");
    const ir::ValueId x = g.graph.add_node(ir::DequantizeLinear{1}, {q, s, z}, "x");
    g.graph.outputs = {g.quantize(g.gemm(x, "gemm"), kHalf, "y")};
    QuantizedGraph quantized;
    try {
      quantized = lower::lower(g.graph);
    } catch (const UnsupportedError&) {
      continue;
    }
    expect_like_simulation(g.graph, quantized);
  }
}

TEST(LowerBoundary, ScalesComputedAtRunTimeAreRefusedByName) {
  Network g;
  const ir::ValueId s = g.graph.add_input("s", DType::float32, {});
  const ir::ValueId q = g.graph.add_node(ir::QuantizeLinear{}, {g.input({2}), s}, "late");
  EXPECT_THAT(message_of<UnsupportedError>([&] { g.lowered(q); }), HasSubstr("late"));
}

TEST(LowerBoundary, ScalesThatAreNoNormalNumbersAreRefused) {
  for (float scale : {0.0F, -1.0F, 1e-40F, INFINITY}) {
    Network g;
    EXPECT_THROW(g.lowered(g.quantize(g.input({2}), {scale, 0, DType::int8}, "q")), InputError) << scale;
  }
}

}  // namespace
}  // namespace halftone::qgraph
