// Each other op alone: sums within derived bounds, functions within some roundings, moves exactly.
#include "tests/float_engine/compare.h"

namespace halftone::float_engine {
namespace {

// Everything that an op does on `inputs`, all of them computed.
ir::Graph graph_of(const ir::Op& op, const std::vector<Tensor>& inputs) {
  ir::OneNode node;
  for (const Tensor& input : inputs) node.input(input.shape(), input.dtype());
  return node.with(op);
}

void expect_exact(const ir::Op& op, const std::vector<Tensor>& inputs) {
  const ir::Graph graph = graph_of(op, inputs);
  EXPECT_TRUE(equal(fast(graph, inputs), ir::run(graph, inputs))) << ir::name_of(op);
}

RC_GTEST_PROP(Gemm, OfEveryOrientation, ()) {
  const std::int64_t n = 1 + choose(9), k = 1 + choose(70), m = 1 + choose(40);
  const ir::Gemm op{.alpha = choose(2) == 0 ? 1.0F : 0.5F,
                    .beta = choose(2) == 0 ? 1.0F : 0.25F,
                    .trans_a = choose(2) == 0,
                    .trans_b = choose(2) == 0};
  const Shape a = op.trans_a ? Shape{k, n} : Shape{n, k};
  const Shape b = op.trans_b ? Shape{m, k} : Shape{k, m};
  const Shape bias = *rc::gen::element(Shape{m}, Shape{1, m}, Shape{n, m}, Shape{1}, Shape{});
  ir::OneNode node;
  node.input(a);
  std::vector<Tensor> inputs{ir::random_floats(a, any_seed())};
  if (choose(2) == 0) {
    node.input(b);
    inputs.push_back(ir::random_floats(b, any_seed()));
  } else {
    node.constant(ir::random_floats(b, any_seed()));
  }
  if (choose(3) != 0) node.constant(ir::random_floats(bias, any_seed()));
  const auto found = linear_difference(node.with(op), inputs, k + 2);
  if (found) RC_FAIL(*found);
}

RC_GTEST_PROP(MatMul, OfMatricesAndStacks, ()) {
  const std::int64_t n = 1 + choose(7), k = 1 + choose(30), m = 1 + choose(20);
  const std::int64_t stack = 1 + choose(3), heads = 1 + choose(3);
  const std::vector<std::pair<Shape, Shape>> pairs{{{n, k}, {k, m}},
                                                   {{stack, n, k}, {k, m}},
                                                   {{stack, heads, n, k}, {k, m}},
                                                   {{stack, n, k}, {stack, k, m}},
                                                   {{stack, heads, n, k}, {stack, heads, k, m}},
                                                   {{stack, heads, n, k}, {1, heads, k, m}},
                                                   {{stack, heads, n, k}, {heads, k, m}},
                                                   {{n, k}, {stack, k, m}}};
  const auto& [a, b] = pairs[static_cast<std::size_t>(choose(static_cast<std::int64_t>(pairs.size())))];
  ir::OneNode node;
  node.input(a);
  std::vector<Tensor> inputs{ir::random_floats(a, any_seed())};
  if (choose(2) == 0) {
    node.input(b);
    inputs.push_back(ir::random_floats(b, any_seed()));
  } else {
    node.constant(ir::random_floats(b, any_seed()));
  }
  const auto found = linear_difference(node.with(ir::MatMul{}), inputs, k);
  if (found) RC_FAIL(*found);
}

ir::Window random_window() {
  ir::Window window;
  window.kernel = {1 + choose(4), 1 + choose(4)};
  window.strides = {1 + choose(3), 1 + choose(3)};
  for (int side = 0; side < 4; ++side)
    window.pads.push_back(choose(window.kernel[static_cast<std::size_t>(side % 2)]));
  window.ceil_mode = choose(2) == 0;
  if (choose(4) == 0) window.dilations = {1 + choose(2), 1 + choose(2)};
  return window;
}

RC_GTEST_PROP(Pool, OverAnyWindow, ()) {
  const Shape shape{1 + choose(2), *rc::gen::element<std::int64_t>(1, 3, 16, 17), 8 + choose(6),
                    8 + choose(6)};
  const std::vector<Tensor> inputs{ir::random_floats(shape, any_seed())};
  const ir::Window window = random_window();
  const std::int64_t count = window.kernel[0] * window.kernel[1];
  const ir::Graph largest = graph_of(ir::MaxPool{window}, inputs);
  RC_ASSERT(equal(fast(largest, inputs), ir::run(largest, inputs)));
  for (const bool include_pad : {false, true}) {
    const ir::Graph mean = graph_of(ir::AveragePool{window, include_pad}, inputs);
    if (const auto found = linear_difference(mean, inputs, count)) RC_FAIL(*found);
  }
  const ir::Graph all = graph_of(ir::GlobalAveragePool{}, inputs);
  if (const auto found = linear_difference(all, inputs, shape[2] * shape[3])) RC_FAIL(*found);
  const ir::Graph top = graph_of(ir::GlobalMaxPool{}, inputs);
  RC_ASSERT(equal(fast(top, inputs), ir::run(top, inputs)));
}

// One rounding of the result in both.
RC_GTEST_PROP(Binary, WithEveryKindOfStretching, ()) {
  const std::int64_t n = 1 + choose(3), c = *rc::gen::element<std::int64_t>(1, 3, 16, 17), h = 1 + choose(5);
  const Shape full{n, c, h, 7};
  const Shape other = *rc::gen::element(full, Shape{1, c, 1, 1}, Shape{c, 1, 1}, Shape{n, c, 1, 1}, Shape{},
                                        Shape{1}, Shape{7}, Shape{n, 1, h, 7}, Shape{1, c, h, 7});
  std::vector<Tensor> inputs{ir::random_floats(full, any_seed()), ir::random_floats(other, any_seed())};
  for (float& x : inputs[1].mutable_data<float>()) x = x == 0.0F ? 1.0F : x;
  const bool swapped = choose(2) == 0;
  if (swapped) std::swap(inputs[0], inputs[1]);
  for (const ir::Op& op : {ir::Op(ir::Add{}), ir::Op(ir::Sub{}), ir::Op(ir::Mul{})}) {
    const ir::Graph graph = graph_of(op, inputs);
    RC_ASSERT(equal(fast(graph, inputs), ir::run(graph, inputs)));
  }
  if (!swapped) {
    const ir::Graph graph = graph_of(ir::Div{}, inputs);
    const Tensor expected = ir::run(graph, inputs);
    if (const auto found = beyond(fast(graph, inputs), expected, absolute(expected), 1)) RC_FAIL(*found);
  }
}

Tensor spread(std::int64_t count) {
  Tensor x(DType::float32, {count});
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    x.mutable_data<float>()[i] = (static_cast<float>(i) - static_cast<float>(count) / 2) * 0.01F;
  return x;
}

TEST(Eltwise, ExactOnes) {
  const std::vector<Tensor> x{spread(2001)};
  expect_exact(ir::Relu{}, x);
  expect_exact(ir::LeakyRelu{.alpha = 0.25F}, x);
  expect_exact(ir::LeakyRelu{.alpha = 0.1F}, x);
  expect_exact(ir::Clip{.lo = 0.0F, .hi = 6.0F}, x);
  expect_exact(ir::Clip{.lo = -1.5F}, x);
  expect_exact(ir::Clip{.hi = 0.5F}, x);
  expect_exact(ir::Clip{.lo = 2.0F, .hi = 1.0F}, x);
  expect_exact(ir::Clip{}, x);
  expect_exact(ir::Abs{}, x);
  expect_exact(ir::Neg{}, x);
  expect_exact(ir::Round{}, x);
}

TEST(Eltwise, RoundTakesTiesToEven) {
  expect_exact(ir::Round{}, {ir::floats({6}, {0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F})});
}

// Polynomials of oneDNN's: some units in the last place of the larger of result and argument.
TEST(Eltwise, SmoothOnes) {
  const std::vector<Tensor> x{spread(4001)};
  for (const ir::Op& op : {ir::Op(ir::Tanh{}), ir::Op(ir::Sigmoid{}), ir::Op(ir::Swish{.alpha = 1.5F}),
                           ir::Op(ir::HardSwish{}), ir::Op(ir::HardSigmoid{}), ir::Op(ir::Elu{.alpha = 0.5F}),
                           ir::Op(ir::Selu{}), ir::Op(ir::Gelu{}), ir::Op(ir::Erf{})}) {
    const ir::Graph graph = graph_of(op, x);
    const Tensor ours = fast(graph, x);
    const Tensor theirs = ir::run(graph, x);
    for (std::size_t i = 0; i < 4001; ++i) {
      const double expected = theirs.data<float>()[i];
      const double scale = std::max(std::fabs(expected), 0x1p-20 * std::fabs(double{x[0].data<float>()[i]}));
      EXPECT_NEAR(ours.data<float>()[i], expected, 16 * kUnit * scale + 1e-30)
          << ir::name_of(op) << " of " << x[0].data<float>()[i];
    }
  }
}

// A node and the activation behind it become one primitive. Its sums are of small integers, exact.
TEST(Eltwise, BehindWhatTheyAreFusedWith) {
  const auto integers = [](Shape shape, std::uint64_t seed) {
    Tensor tensor = ir::random_floats(std::move(shape), seed);
    for (float& x : tensor.mutable_data<float>()) x = std::floor(x);
    return tensor;
  };
  for (const ir::Op& activation :
       {ir::Op(ir::Relu{}), ir::Op(ir::LeakyRelu{.alpha = 0.25F}), ir::Op(ir::Clip{.lo = 0, .hi = 6}),
        ir::Op(ir::Tanh{}), ir::Op(ir::Sigmoid{}), ir::Op(ir::Swish{}), ir::Op(ir::HardSwish{}),
        ir::Op(ir::HardSigmoid{}), ir::Op(ir::Abs{}), ir::Op(ir::Neg{}), ir::Op(ir::Round{}),
        ir::Op(ir::Gelu{})})
    for (int kind = 0; kind < 5; ++kind)
      for (const std::int64_t channels : {3, 16}) {
        ir::OneNode node;
        const Shape x = kind < 3 ? Shape{2, channels, 6, 5} : Shape{2, 9, channels};
        node.input(kind == 3 ? Shape{2, channels} : x);
        if (kind == 0) node.constant(integers({17, channels, 3, 3}, 1)).constant(integers({17}, 2));
        if (kind == 1) node.constant(integers({channels, 1, 3, 3}, 1));
        if (kind == 2) node.input(x);
        if (kind == 3) node.constant(integers({5, channels}, 1)).constant(integers({5}, 2));
        if (kind == 4) node.input({2, channels, 4});
        const ir::Op ops[] = {ir::Conv{}, ir::Conv{.groups = channels}, ir::Add{}, ir::Gemm{.trans_b = true},
                              ir::MatMul{}};
        ir::Graph graph = node.with(ops[kind]);
        graph.outputs = {graph.add_node(activation, graph.outputs, "activation")};
        std::vector<Tensor> inputs;
        for (const ir::ValueId input : graph.inputs) inputs.push_back(integers(graph.value(input).shape, 3));
        const Tensor expected = ir::run(graph, inputs);
        EXPECT_EQ(beyond(fast(graph, inputs), expected, absolute(expected), 16), std::nullopt)
            << ir::name_of(activation) << " behind " << ir::name_of(ops[kind]) << " of " << channels;
      }
}

RC_GTEST_PROP(Softmax, AlongAnyAxis, ()) {
  const Shape shape{1 + choose(3), 1 + choose(20), 1 + choose(4)};
  const ir::Softmax op{{.axis = choose(3), .to_end = choose(3) == 0}};
  const std::vector<Tensor> inputs{ir::random_floats(shape, any_seed())};
  const ir::Graph graph = graph_of(op, inputs);
  const Tensor expected = ir::run(graph, inputs);
  // An exponential within 8 roundings, a sum of `count` and a division.
  if (const auto found = beyond(fast(graph, inputs), expected, absolute(expected), product(shape, 0, 3) + 16))
    RC_FAIL(*found);
}

RC_GTEST_PROP(BatchNormalization, WithoutAConvolutionBeforeIt, ()) {
  const std::int64_t c = *rc::gen::element<std::int64_t>(1, 3, 16, 17);
  const Shape shape = *rc::gen::element(Shape{2, c}, Shape{2, c, 5}, Shape{2, c, 3, 4});
  ir::OneNode node;
  node.input(shape);
  for (int i = 0; i < 3; ++i) node.constant(ir::random_floats({c}, any_seed()));
  Tensor variance = absolute(ir::random_floats({c}, any_seed()));
  for (float& v : variance.mutable_data<float>()) v += 0.25F;
  const ir::Graph graph = node.constant(variance).with(ir::BatchNormalization{});
  const Tensor x = ir::random_floats(shape, any_seed());
  // (|x| + |mean|)·|scale|/√var + |bias| is at most 8·4·2 + 4; some ten roundings.
  const Tensor expected = ir::run(graph, {x});
  Tensor magnitude = expected;
  for (float& m : magnitude.mutable_data<float>()) m = 8 * 4 * 2 + 4;
  if (const auto found = beyond(fast(graph, {x}), expected, magnitude, 8)) RC_FAIL(*found);
}

RC_GTEST_PROP(Moves, AreExact, ()) {
  const std::int64_t h = 1 + choose(4), w = 1 + choose(5);
  const Shape shape{2, 17, h, w};
  const std::vector<Tensor> one{ir::random_floats(shape, any_seed())};
  const std::vector<std::vector<std::int64_t>> permutations{
      {}, {0, 2, 3, 1}, {0, 3, 1, 2}, {3, 2, 1, 0}, {1, 0, 2, 3}};
  for (const auto& permutation : permutations) expect_exact(ir::Transpose{permutation}, one);
  expect_exact(ir::Flatten{choose(5)}, one);
  const std::int64_t axis = choose(4);
  Shape other = shape;
  other[static_cast<std::size_t>(axis)] = 1 + choose(5);
  expect_exact(ir::Concat{axis}, {one[0], ir::random_floats(other, any_seed()), one[0]});
}

TEST(Moves, OfScalarsAndVectors) {
  expect_exact(ir::Transpose{}, {ir::scalar_of(3)});
  expect_exact(ir::Relu{}, {ir::scalar_of(-3)});
  expect_exact(ir::Add{}, {ir::scalar_of(1), ir::scalar_of(2)});
  expect_exact(ir::Concat{0}, {ir::floats({2}, {1, 2}), ir::floats({1}, {3})});
}

TEST(Moves, IntegersAreLeftToThePlainLoops) {
  const std::vector<Tensor> inputs{ir::int64s({1, 2, 3}), ir::int64s({1LL << 40, 5, -6})};
  for (const ir::Op& op : {ir::Op(ir::Add{}), ir::Op(ir::Concat{0})}) expect_exact(op, inputs);
  expect_exact(ir::Relu{}, {inputs[1]});
  expect_exact(ir::Transpose{}, {inputs[0].reshaped({1, 3})});
}

TEST(Moves, OfNothing) {
  expect_exact(ir::Relu{}, {Tensor(DType::float32, {0, 3})});
  expect_exact(ir::Concat{0}, {Tensor(DType::float32, {0, 3}), ir::floats({1, 3}, {1, 2, 3})});
}

}  // namespace
}  // namespace halftone::float_engine
