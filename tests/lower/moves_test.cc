// Concat, Transpose, Squeeze, Unsqueeze and GlobalMaxPool on integers.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "tests/lower/formulas.h"
#include "tests/lower/network.h"

namespace halftone::qgraph {
namespace {

using numeric::Arithmetic;

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

numeric::ArithmeticSpec any_spec() {
  const int mode = choose(3);
  if (mode == 0) return {.mode = Arithmetic::shift};
  if (mode == 1) return {.mode = Arithmetic::onnx};
  return {};
}

Grid any_grid(const numeric::ArithmeticSpec& spec) {
  const float power = std::ldexp(1.0F, choose(5) - 5);
  const bool exact = spec.mode == Arithmetic::shift;
  return {exact ? power : power * (1.0F + static_cast<float>(choose(1 << 12)) * 0x1p-12F), choose(256) - 128,
          DType::int8};
}

Tensor any_int8s(Shape shape) {
  Tensor tensor(DType::int8, std::move(shape));
  for (std::int8_t& v : tensor.mutable_data<std::int8_t>()) v = static_cast<std::int8_t>(choose(256) - 128);
  return tensor;
}

Tensor run_one(const QuantizedGraph& graph, const std::vector<Tensor>& inputs) {
  return Interpreter(graph).run(inputs).at(0);
}

TEST(Concat, OfOneScaleJoinsTheIntegers) {
  Qdq g;
  const Grid grid{0.37F, -3, DType::int8};
  const ir::ValueId a = g.dequantize(g.input({kDynamic, 2}, DType::int8), grid, "a");
  const ir::ValueId b = g.dequantize(g.input({kDynamic, 1}, DType::int8), grid, "b");
  const QuantizedGraph quantized = g.lowered(g.quantize(g.node(ir::Concat{1}, {a, b}, "joined"), grid, "y"));
  EXPECT_EQ(ops_of(quantized), "Concat");
  EXPECT_TRUE(quantized.integer_only());
  EXPECT_TRUE(run_one(quantized, {int8s({2, 2}, {1, 2, -128, 127}), int8s({2, 1}, {5, 6})}) ==
              int8s({2, 3}, {1, 2, 5, -128, 127, 6}));
}

RC_GTEST_PROP(Concat, InputsOfAnotherScaleAreFirstRequantized, ()) {
  const numeric::ArithmeticSpec spec = any_spec();
  const Grid a = any_grid(spec), b = any_grid(spec), y = any_grid(spec);
  Qdq g(spec);
  const ir::ValueId left = g.dequantize(g.input({2, 3}, DType::int8), a, "a");
  const ir::ValueId right = g.dequantize(g.input({2, 4}, DType::int8), b, "b");
  const QuantizedGraph quantized =
      g.lowered(g.quantize(g.node(ir::Concat{1}, {left, right}, "joined"), y, "y"));
  RC_ASSERT(quantized.integer_only());
  const Tensor in[] = {any_int8s({2, 3}), any_int8s({2, 4})};
  const auto got = numeric::to_int32(run_one(quantized, {in[0], in[1]}));
  RC_ASSERT(got.size() == 14u);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::size_t row = i / 7, column = i % 7;
    const bool first = column < 3;
    const Grid& x = first ? a : b;
    const std::int32_t q =
        first ? in[0].data<std::int8_t>()[row * 3 + column] : in[1].data<std::int8_t>()[row * 4 + column - 3];
    const bool same = x.scale == y.scale && x.zero == y.zero;
    const std::int32_t expected =
        same ? q : formulas::requantize(q - x.zero, x.scale, 1.0F, y, -128, 127, spec, false);
    RC_ASSERT(got[i] == expected);
  }
}

TEST(Concat, OfAValueAndItself) {
  Network g;
  const ir::ValueId x = g.start(kHalf);
  const ir::ValueId y = g.pair(g.node(ir::Concat{1}, {x, x}, "twice"), kQuarter, "y");
  const QuantizedGraph quantized = g.lowered(y);
  const Integers integers = run_integers(quantized, {ir::random_floats({3, 2}, 2)});
  EXPECT_EQ(integers.at("y").shape(), (Shape{3, 4}));
  expect_like_simulation(g.graph, quantized);
}

TEST(Concat, WhoseResultSeveralReadKeepsTheFunction) {
  Network g;
  const ir::ValueId a = g.start(kHalf);
  const ir::ValueId b = g.pair(g.input({kDynamic, 2}), kHalf, "p");
  const ir::ValueId joined = g.node(ir::Concat{1}, {a, b}, "joined");
  g.graph.outputs = {g.pair(joined, kHalf, "first"), g.pair(joined, kQuarter, "second")};
  expect_like_simulation(g.graph, lower::lower(g.graph));
}

TEST(Concat, OfAnIntegerAndAFloatIsAnIsland) {
  Network g;
  const ir::ValueId joined = g.node(ir::Concat{1}, {g.start(kHalf), g.input({kDynamic, 2})}, "joined");
  const QuantizedGraph quantized = g.lowered(g.pair(joined, kHalf, "y"));
  EXPECT_NE(find_node<Island>(quantized), nullptr);
  expect_like_simulation(g.graph, quantized);
}

constexpr Grid kFine{0x1p-7F, 0, DType::int8};  // from −1 to 1

// At x's scale −5 would be −2: where the result has another scale the Pad stays float.
TEST(Pad, ByAConstantIsAtTheScaleOfBothSidesOrAnIsland) {
  for (const Grid& y : {kFine, kHalf}) {
    Network g;
    const ir::ValueId x = g.pair(g.input({kDynamic, 2}), kFine, "p");
    const ir::ValueId padded = g.node(ir::Pad{{0, 1, 0, 0}, ir::PadMode::constant, -5.0}, {x}, "padded");
    const QuantizedGraph quantized = g.lowered(g.pair(padded, y, "y"));
    EXPECT_EQ(find_node<Island>(quantized) == nullptr, y.scale == kFine.scale);
    expect_like_simulation(g.graph, quantized);
  }
  Network last;
  const ir::ValueId x = last.pair(last.input({kDynamic, 2}), kFine, "p");
  const QuantizedGraph quantized =
      last.lowered(last.node(ir::Pad{{0, 1, 0, 0}, ir::PadMode::constant, -5.0}, {x}, "padded"));
  EXPECT_NE(find_node<Island>(quantized), nullptr);
  expect_like_simulation(last.graph, quantized);
}

// A Quantize says to which scale the others go; without one they would be cut to the range of one of them.
TEST(Concat, OfUnequalScalesWithoutAQuantizeIsAnIsland) {
  for (const ir::Op& op : {ir::Op(ir::Concat{1}), ir::Op(ir::Max{})}) {
    Network g;
    const ir::ValueId fine = g.pair(g.input({kDynamic, 2}), kFine, "p");
    const QuantizedGraph quantized = g.lowered(g.node(op, {fine, g.start(kHalf)}, "joined"));
    EXPECT_THAT(reason_of(quantized), testing::HasSubstr("scales of their own"));
    expect_like_simulation(g.graph, quantized);
  }
}

TEST(Concat, OfIntegersOfUnequalScalesIsRefused) {
  Network g;
  const ir::ValueId a = g.quantize(g.input({kDynamic, 2}), kHalf, "a");
  const ir::ValueId b = g.quantize(g.input({kDynamic, 2}), kFine, "b");
  const ir::ValueId joined = g.node(ir::Concat{1}, {a, b}, "joined");
  EXPECT_THAT(message_of<UnsupportedError>([&] { g.lowered(g.dequantize(joined, kHalf, "y")); }),
              testing::HasSubstr("not quantized"));
}

template <typename Op, typename F>
void expect_chosen(const Op& op, const F& choose_one) {
  const numeric::ArithmeticSpec spec = any_spec();
  const Grid grids[] = {any_grid(spec), any_grid(spec)}, y = any_grid(spec);
  Qdq g(spec);
  const ir::ValueId left = g.dequantize(g.input({2, 3, 4}, DType::int8), grids[0], "a");
  const ir::ValueId right = g.dequantize(g.input({3, 1}, DType::int8), grids[1], "b");
  const QuantizedGraph quantized = g.lowered(g.quantize(g.node(op, {left, right}, "chosen"), y, "y"));
  RC_ASSERT(quantized.integer_only());
  const Tensor in[] = {any_int8s({2, 3, 4}), any_int8s({3, 1})};
  const Tensor result = run_one(quantized, {in[0], in[1]});
  RC_ASSERT(result.shape() == (Shape{2, 3, 4}));
  const auto on_y = [&](std::size_t operand, std::size_t i) {
    const Grid& x = grids[operand];
    const std::int32_t q = in[operand].data<std::int8_t>()[i];
    if (x.scale == y.scale && x.zero == y.zero) return q;
    return formulas::requantize(q - x.zero, x.scale, 1.0F, y, -128, 127, spec, false);
  };
  for (std::size_t i = 0; i < 24; ++i)
    RC_ASSERT(result.data<std::int8_t>()[i] == choose_one(on_y(0, i), on_y(1, i / 4 % 3)));
}

RC_GTEST_PROP(Max, IsTheLargestOnTheScaleOfTheResult, ()) {
  expect_chosen(ir::Max{}, [](std::int32_t a, std::int32_t b) { return std::max(a, b); });
}

RC_GTEST_PROP(Min, IsTheLeastOnTheScaleOfTheResult, ()) {
  expect_chosen(ir::Min{}, [](std::int32_t a, std::int32_t b) { return std::min(a, b); });
}

TEST(Max, OfOneScaleIsOfTheIntegers) {
  Network g;
  const ir::ValueId a = g.start(kHalf);
  const ir::ValueId b = g.pair(g.input({2}), kHalf, "p");
  const ir::ValueId c = g.pair(g.input({kDynamic, 1}), kHalf, "r");
  const QuantizedGraph quantized = g.lowered(g.pair(g.node(ir::Max{}, {a, b, c}, "largest"), kHalf, "y"));
  EXPECT_EQ(ops_of(quantized), "Quantize Quantize Quantize Extreme Dequantize");
  expect_like_simulation(g.graph, quantized);
}

// [N, 1] and its transpose add up to [N, N]: only moves that keep each dimension have a shape there.
TEST(Moves, OfTwoOpenDimensionsKeepTheFunction) {
  for (const ir::Op& op : {ir::Op(ir::Unsqueeze{{2}}), ir::Op(ir::Transpose{{1, 0}}), ir::Op(ir::Unsqueeze{{0}})}) {
    Network g;
    const ir::ValueId x = g.start(kHalf, {kDynamic, 1});
    const ir::ValueId turned = g.pair(g.node(ir::Transpose{{1, 0}}, {x}, "turned"), kHalf, "tq");
    const ir::ValueId square = g.pair(g.node(ir::Add{}, {x, turned}, "square"), kHalf, "sq");
    expect_like_simulation(g.graph, g.lowered(g.pair(g.node(op, {square}, "moved"), kHalf, "y")));
  }
}

TEST(Moves, TransposeSqueezeAndUnsqueezeMoveTheIntegers) {
  Network g;
  const Grid grid{0.25F, 5, DType::int8};
  const ir::ValueId x = g.dequantize(g.input({kDynamic, 1, 3}, DType::int8), grid, "x");
  const ir::ValueId turned = g.pair(g.node(ir::Transpose{{0, 2, 1}}, {x}, "turned"), grid, "tq");
  const ir::ValueId flat = g.pair(g.node(ir::Squeeze{{2}}, {turned}, "flat"), grid, "fq");
  const QuantizedGraph quantized =
      g.lowered(g.quantize(g.node(ir::Unsqueeze{{0}}, {flat}, "wide"), grid, "y"));
  EXPECT_EQ(ops_of(quantized), "Move Move Move");
  const Tensor in = int8s({2, 1, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(run_one(quantized, {in}) == in.reshaped({1, 2, 3}));
}

RC_GTEST_PROP(Moves, TransposeIsThatOfTheIntegers, ()) {
  const Grid grid = any_grid({});
  Qdq g;
  const Shape shape{1 + choose(3), 1 + choose(3), 1 + choose(3)};
  const ir::ValueId x = g.dequantize(g.input(shape, DType::int8), grid, "x");
  const ir::Transpose op{{2, 0, 1}};
  const QuantizedGraph quantized = g.lowered(g.quantize(g.node(op, {x}, "turned"), grid, "y"));
  const Tensor in = any_int8s(shape);
  RC_ASSERT(run_one(quantized, {in}) == ir::apply_op(op, {in}));
}

RC_GTEST_PROP(GlobalMaxPool, IsTheLargestOfEachPlane, ()) {
  const Grid grid = any_grid({});
  const std::int64_t h = 1 + choose(5), w = 1 + choose(5);
  Qdq g;
  const ir::ValueId x = g.dequantize(g.input({kDynamic, 2, h, w}, DType::int8), grid, "x");
  const QuantizedGraph quantized =
      g.lowered(g.quantize(g.node(ir::GlobalMaxPool{}, {x}, "largest"), grid, "y"));
  RC_ASSERT(ops_of(quantized) == "MaxPool");
  const Tensor in = any_int8s({3, 2, h, w});
  const Tensor y = run_one(quantized, {in});
  RC_ASSERT(y.shape() == (Shape{3, 2, 1, 1}));
  const auto area = static_cast<std::size_t>(h * w);
  for (std::size_t p = 0; p < 6; ++p)
    RC_ASSERT(y.data<std::int8_t>()[p] == std::ranges::max(in.data<std::int8_t>().subspan(p * area, area)));
}

TEST(GlobalMaxPool, OverOneDimensionKeepsTheFunction) {
  Network g;
  const ir::ValueId x = g.start(kHalf, {kDynamic, 2, 5});
  const QuantizedGraph quantized = g.lowered(g.pair(g.node(ir::GlobalMaxPool{}, {x}, "largest"), kHalf, "y"));
  expect_like_simulation(g.graph, quantized);
}

}  // namespace
}  // namespace halftone::qgraph
