// A Clip of integers: bounds of the operator before it, or a table of its own; the same integers either way.
#include "tests/lower/network.h"

namespace halftone::qgraph {
namespace {

constexpr Grid kEighth{0.125F, -5, DType::int8};

struct Operators : Network {
  Operators() : Network({.mode = numeric::Arithmetic::onnx}) {}

  ir::ValueId number(float value, const std::string& name) {
    return graph.add_constant(name, ir::scalar_of(value));
  }
  ir::ValueId zero(std::int32_t value, const std::string& name) {
    return graph.add_constant(name, numeric::from_int32({}, {&value, 1}, DType::int8));
  }
  std::vector<ir::ValueId> grid(const Grid& g, const std::string& name) {
    return {number(g.scale, name + "_s"), zero(g.zero, name + "_z")};
  }
  ir::ValueId integers(Shape shape = {kDynamic, 2}) { return quantize(input(std::move(shape)), kHalf, "q"); }

  // Integers of the grid y: x, of the grid kHalf, times a matrix.
  ir::ValueId product(ir::ValueId x, const Grid& y, const std::string& name) {
    std::vector<ir::ValueId> inputs{x};
    for (const ir::ValueId id : grid(kHalf, name + "_x")) inputs.push_back(id);
    inputs.push_back(graph.add_constant(name + "_w", int8s({2, 2}, {7, -12, 13, 4})));
    for (const ir::ValueId id : grid(kHalf, name + "_w")) inputs.push_back(id);
    for (const ir::ValueId id : grid(y, name + "_y")) inputs.push_back(id);
    return node(ir::QLinearMatMul{}, inputs, name);
  }
  ir::ValueId clip(ir::ValueId x, float lo, float hi, const std::string& name = "clip") {
    return node(ir::Clip{lo, hi}, {x}, name);
  }
};

// The operators one by one and the integers agree; returns the integers' ops.
std::string expect_same(Operators& g, std::vector<ir::ValueId> outputs) {
  g.graph.outputs = std::move(outputs);
  ir::check(g.graph);
  const QuantizedGraph quantized = lower::lower(g.graph);
  EXPECT_TRUE(quantized.integer_only());
  expect_like_simulation(g.graph, quantized);
  return ops_of(quantized);
}

TEST(IntegerClip, BehindAnOperatorOnIntegersIsItsBounds) {
  const std::pair<float, float> bounds[] = {{-5.0F, 127.0F},  {-20.0F, 30.0F},   {-INFINITY, 3.0F},
                                            {4.0F, INFINITY}, {-128.0F, 127.0F}, {9.0F, 2.0F}};
  for (const auto& [lo, hi] : bounds) {
    Operators g;
    const ir::ValueId y = g.clip(g.product(g.integers(), kEighth, "m"), lo, hi);
    EXPECT_EQ(expect_same(g, {g.dequantize(y, kEighth, "y")}), "Quantize Gemm Dequantize") << lo;
    const QuantizedGraph quantized = lower::lower(g.graph);
    const Requantizer& r = std::get<Gemm>(find_node<Gemm>(quantized)->op).linear.requantizer;
    EXPECT_EQ(r.bounds.hi, static_cast<std::int32_t>(std::min(hi, 127.0F)));
    EXPECT_EQ(r.bounds.lo, static_cast<std::int32_t>(std::max(std::min(lo, hi), -128.0F)));
  }
}

TEST(IntegerClip, OfIntegersThatSomethingElseReadsIsATable) {
  Operators g;
  const ir::ValueId m = g.product(g.integers(), kEighth, "m");
  const ir::ValueId y = g.dequantize(g.clip(m, -5.0F, 40.0F), kEighth, "y");
  EXPECT_EQ(expect_same(g, {y, g.dequantize(m, kEighth, "n")}), "Quantize Gemm Table Dequantize Dequantize");
}

TEST(IntegerClip, BehindAnythingElseIsATable) {
  Operators start;
  EXPECT_EQ(expect_same(start, {start.dequantize(start.clip(start.integers(), -3.0F, 2.0F), kHalf, "y")}),
            "Quantize Table Dequantize");
  Operators move;
  const ir::ValueId pooled =
      move.node(ir::MaxPool{{.kernel = {2, 2}}}, {move.integers({kDynamic, 1, 4, 4})}, "pool");
  EXPECT_EQ(expect_same(move, {move.dequantize(move.clip(pooled, 0.0F, 5.0F), kHalf, "y")}),
            "Quantize MaxPool Table Dequantize");
  Operators table;
  std::vector<ir::ValueId> inputs{table.integers()};
  for (const ir::ValueId id : table.grid(kHalf, "x")) inputs.push_back(id);
  for (const ir::ValueId id : table.grid(kEighth, "l")) inputs.push_back(id);
  const ir::ValueId leaky = table.node(ir::QLinearLeakyRelu{{{.alpha = 0.25F}}}, inputs, "leaky");
  EXPECT_EQ(expect_same(table, {table.dequantize(table.clip(leaky, -7.0F, 9.0F), kEighth, "y")}),
            "Quantize Table Table Dequantize");
  Operators chain;
  const ir::ValueId once = chain.clip(chain.product(chain.integers(), kEighth, "m"), -30.0F, 20.0F, "once");
  EXPECT_EQ(expect_same(chain, {chain.dequantize(chain.clip(once, -10.0F, 40.0F), kEighth, "y")}),
            "Quantize Gemm Table Dequantize");
}

TEST(IntegerClip, BeforeAnOperatorOnIntegersFeedsIt) {
  Operators g;
  const ir::ValueId x = g.clip(g.integers(), -3.0F, 4.0F);
  EXPECT_EQ(expect_same(g, {g.dequantize(g.product(x, kEighth, "m"), kEighth, "y")}),
            "Quantize Table Gemm Dequantize");
}

TEST(IntegerClip, WhoseRealBoundsLeaveFloat32IsATable) {
  Operators g;
  const Grid huge{0x1p122F, 0, DType::int8};
  const ir::ValueId y = g.clip(g.product(g.integers(), huge, "m"), -100.0F, 100.0F);
  EXPECT_EQ(expect_same(g, {g.dequantize(y, huge, "y")}), "Quantize Gemm Table Dequantize");
}

}  // namespace
}  // namespace halftone::qgraph
