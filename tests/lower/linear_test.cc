// Conv, Gemm and MatMul in integers are the sums and the one rounding of docs/arithmetic.md sections 4 to 6.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "tests/lower/formulas.h"

namespace halftone::qgraph {
namespace {

using formulas::Wide;

// Everything of one layer, chosen at random.
struct Layer {
  numeric::ArithmeticSpec spec;
  Grid x;
  Grid y;
  std::vector<float> s_w;
  std::vector<std::int32_t> z_w;
  Tensor q_w;
  std::vector<std::int32_t> bias;  // empty: none
  float lo = -INFINITY;
  float hi = INFINITY;
  int activation = 0;  // none, ReLU, Clip

  std::size_t at(std::int64_t c) const { return s_w.size() == 1 ? 0 : static_cast<std::size_t>(c); }
};

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

numeric::ArithmeticSpec any_spec() {
  const int mode = choose(5);
  if (mode == 3) return {.mode = numeric::Arithmetic::shift};
  if (mode == 4) return {.mode = numeric::Arithmetic::onnx};
  return {.mode = numeric::Arithmetic::fixed, .mantissa_bits = 8 << mode};
}

float any_scale(const numeric::ArithmeticSpec& spec, int lowest) {
  const float power = std::ldexp(1.0F, -choose(-lowest));
  if (spec.mode == numeric::Arithmetic::shift) return power;
  return power * (1.0F + static_cast<float>(choose(1 << 12)) * 0x1p-12F);
}

Grid any_grid(const numeric::ArithmeticSpec& spec, int lowest) {
  const DType dtypes[] = {DType::int8, DType::uint8, DType::int8, DType::uint8, DType::int16, DType::uint16};
  const DType dtype = dtypes[choose(6)];
  const auto format = format_of(dtype);
  const std::int32_t zeros[] = {format.qmin(), format.qmax(), 0,
                                format.qmin() + choose(format.qmax() - format.qmin() + 1)};
  return {any_scale(spec, lowest), zeros[choose(4)], dtype};
}

Tensor random_integers(const Shape& shape, DType dtype, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto format = format_of(dtype);
  std::vector<std::int32_t> values(static_cast<std::size_t>(element_count(shape)));
  for (std::int32_t& v : values) {
    const std::uint64_t r = random() % 8;
    const auto span = static_cast<std::uint64_t>(format.qmax() - format.qmin() + 1);
    v = r == 0   ? format.qmin()
        : r == 1 ? format.qmax()
                 : format.qmin() + static_cast<std::int32_t>(random() % span);
  }
  return numeric::from_int32(shape, values, dtype);
}

Layer any_layer(const Shape& w) {
  Layer layer;
  layer.spec = any_spec();
  layer.x = any_grid(layer.spec, -8);
  layer.y = any_grid(layer.spec, -8);
  const bool per_channel = choose(2) == 0;
  const DType weight_type = choose(4) == 0 ? DType::uint8 : DType::int8;
  const auto format = format_of(weight_type);
  for (std::int64_t c = 0; c < (per_channel ? w[0] : 1); ++c) {
    layer.s_w.push_back(any_scale(layer.spec, -12));
    layer.z_w.push_back(choose(2) == 0 ? (weight_type == DType::int8 ? 0 : 128)
                                       : format.qmin() + choose(256));
  }
  layer.q_w = random_integers(w, weight_type, static_cast<std::uint64_t>(choose(1 << 30)));
  const int kind = choose(4);
  for (std::int64_t c = 0; kind > 0 && c < w[0]; ++c) {
    const std::int32_t extremes[] = {INT32_MAX, INT32_MIN + 1, 1 << 30, -(1 << 30)};
    layer.bias.push_back(kind == 3 && choose(4) == 0 ? extremes[choose(4)] : choose(20001) - 10000);
  }
  layer.activation = choose(3);
  if (layer.activation == 1) layer.lo = 0.0F;
  if (layer.activation == 2) {
    layer.lo = static_cast<float>(choose(40) - 30) * 0.25F;
    layer.hi = static_cast<float>(choose(40) - 5) * 0.25F;
  }
  return layer;
}

// The graph: integers in, integers out.
ir::Graph graph_of(const Layer& layer, const ir::Op& op, const Shape& x_shape, const Tensor& q_w, int axis) {
  Qdq g(layer.spec);
  const ir::ValueId x = g.dequantize(g.input(x_shape, layer.x.dtype), layer.x, "x");
  std::vector<ir::ValueId> inputs{x, g.weights(q_w, layer.s_w, layer.z_w, axis, "w")};
  if (!layer.bias.empty()) {
    std::vector<float> s_b;
    for (float s : layer.s_w) s_b.push_back(layer.x.scale * s);
    inputs.push_back(g.bias(layer.bias, s_b, "b"));
  }
  ir::ValueId y = g.node(op, inputs, "real");
  if (layer.activation == 1) y = g.node(ir::Relu{}, {y}, "relu");
  if (layer.activation == 2) y = g.node(ir::Clip{layer.lo, layer.hi}, {y}, "clip");
  g.graph.outputs = {g.quantize(y, layer.y, "y")};
  return g.graph;
}

// Section 4: the largest partial sum of channel c, whatever the inputs.
Wide bound_of(const Layer& layer, std::int64_t c) {
  const auto w = numeric::to_int32(layer.q_w);
  const auto format = format_of(layer.x.dtype);
  const std::int64_t reduction = layer.q_w.size() / layer.q_w.dim(0);
  const Wide centred =
      std::max(std::abs(format.qmin() - layer.x.zero), std::abs(format.qmax() - layer.x.zero));
  const Wide raw = std::max(std::abs(format.qmin()), std::abs(format.qmax()));
  const Wide bias = layer.bias.empty() ? 0 : layer.bias[static_cast<std::size_t>(c)];
  Wide magnitude = 0;
  Wide sum = 0;
  for (std::int64_t k = 0; k < reduction; ++k) {
    const Wide v = w[static_cast<std::size_t>(c * reduction + k)] - layer.z_w[layer.at(c)];
    magnitude += v < 0 ? -v : v;
    sum += v;
  }
  const auto absolute = [](Wide v) { return v < 0 ? -v : v; };
  return std::max(centred * magnitude + absolute(bias),
                  raw * magnitude + absolute(bias - layer.x.zero * sum));
}

bool is_wide(const Layer& layer) {
  for (std::int64_t c = 0; c < layer.q_w.dim(0); ++c)
    if (bound_of(layer, c) > INT32_MAX) return true;
  return false;
}

std::int32_t finish(const Layer& layer, std::int64_t c, Wide acc, bool wide) {
  const auto format = format_of(layer.y.dtype);
  std::int32_t lo = std::max(format.qmin(), formulas::quantize(layer.lo / layer.y.scale, layer.y));
  const std::int32_t hi = std::min(format.qmax(), formulas::quantize(layer.hi / layer.y.scale, layer.y));
  lo = std::min(lo, hi);
  if (!layer.bias.empty()) acc += layer.bias[static_cast<std::size_t>(c)];
  return formulas::requantize(acc, layer.x.scale, layer.s_w[layer.at(c)], layer.y, lo, hi, layer.spec, wide);
}

// Runs the graph; nothing when the arithmetic refuses the layer as it must.
std::optional<std::vector<std::int32_t>> run_layer(const Layer& layer, const ir::Graph& graph,
                                                   const Tensor& x) {
  if (is_wide(layer) && layer.spec.mode == numeric::Arithmetic::onnx) {
    RC_ASSERT_THROWS_AS(lower::lower(graph), InputError);
    return std::nullopt;
  }
  const QuantizedGraph quantized = lower::lower(graph);
  RC_ASSERT(quantized.nodes.size() == 1u);
  RC_ASSERT(quantized.integer_only());
  return numeric::to_int32(Interpreter(quantized).run({&x, 1}).at(0));
}

RC_GTEST_PROP(Linear, GemmAndMatMulAreTheFormulas, ()) {
  const std::int64_t batch = choose(4);
  const std::int64_t depth = 1 + choose(17);
  const std::int64_t channels = 1 + choose(9);
  const Layer layer = any_layer({channels, depth});
  const Tensor x =
      random_integers({batch, depth}, layer.x.dtype, static_cast<std::uint64_t>(choose(1 << 30)));
  const bool transposed = choose(2) == 0;
  const bool matmul = !transposed && layer.bias.empty() && choose(2) == 0;
  Tensor stored = layer.q_w;
  if (!transposed) {
    const auto w = numeric::to_int32(layer.q_w);
    std::vector<std::int32_t> turned(w.size());
    for (std::int64_t m = 0; m < channels; ++m)
      for (std::int64_t k = 0; k < depth; ++k)
        turned[static_cast<std::size_t>(k * channels + m)] = w[static_cast<std::size_t>(m * depth + k)];
    stored = numeric::from_int32({depth, channels}, turned, layer.q_w.dtype());
  }
  const ir::Op op = matmul ? ir::Op(ir::MatMul{}) : ir::Op(ir::Gemm{.trans_b = transposed});
  const auto y = run_layer(layer, graph_of(layer, op, {kDynamic, depth}, stored, transposed ? 0 : 1), x);
  if (!y) return;
  const auto q = numeric::to_int32(x);
  const auto w = numeric::to_int32(layer.q_w);
  const bool wide = is_wide(layer);
  for (std::int64_t n = 0; n < batch; ++n)
    for (std::int64_t m = 0; m < channels; ++m) {
      Wide acc = 0;
      for (std::int64_t k = 0; k < depth; ++k)
        acc += Wide{q[static_cast<std::size_t>(n * depth + k)] - layer.x.zero} *
               (w[static_cast<std::size_t>(m * depth + k)] - layer.z_w[layer.at(m)]);
      RC_ASSERT((*y)[static_cast<std::size_t>(n * channels + m)] == finish(layer, m, acc, wide));
    }
}

RC_GTEST_PROP(Linear, ConvIsTheFormulaAndPadsWithTheZeroPoint, ()) {
  const std::int64_t groups = 1 + choose(3);
  const std::int64_t depth = 1 + choose(3);
  const std::int64_t per_group = 1 + choose(3);
  const std::int64_t kh = 1 + choose(3), kw = 1 + choose(3), sh = 1 + choose(3), sw = 1 + choose(3),
                     dh = 1 + choose(2), dw = 1 + choose(2);
  const std::int64_t pads[] = {choose(4), choose(4), choose(4), choose(4)};
  const std::int64_t height = 1 + choose(7), width = 1 + choose(7);
  RC_PRE((kh - 1) * dh + 1 <= height + pads[0] + pads[2] && (kw - 1) * dw + 1 <= width + pads[1] + pads[3]);
  const std::int64_t channels = groups * per_group;
  const Layer layer = any_layer({channels, depth, kh, kw});
  const Tensor x = random_integers({2, groups * depth, height, width}, layer.x.dtype,
                                   static_cast<std::uint64_t>(choose(1 << 30)));
  const ir::Conv op{{.kernel = {kh, kw},
                     .strides = {sh, sw},
                     .pads = {pads[0], pads[1], pads[2], pads[3]},
                     .dilations = {dh, dw}},
                    groups};
  const auto y =
      run_layer(layer, graph_of(layer, op, {kDynamic, groups * depth, height, width}, layer.q_w, 0), x);
  if (!y) return;
  const std::int64_t oh = (height + pads[0] + pads[2] - (kh - 1) * dh - 1) / sh + 1;
  const std::int64_t ow = (width + pads[1] + pads[3] - (kw - 1) * dw - 1) / sw + 1;
  RC_ASSERT(static_cast<std::int64_t>(y->size()) == 2 * channels * oh * ow);
  const auto q = numeric::to_int32(x);
  const auto w = numeric::to_int32(layer.q_w);
  const bool wide = is_wide(layer);
  std::size_t next = 0;
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t m = 0; m < channels; ++m)
      for (std::int64_t r = 0; r < oh; ++r)
        for (std::int64_t c = 0; c < ow; ++c) {
          Wide acc = 0;
          for (std::int64_t d = 0; d < depth; ++d)
            for (std::int64_t i = 0; i < kh; ++i)
              for (std::int64_t j = 0; j < kw; ++j) {
                const std::int64_t ih = r * sh - pads[0] + i * dh;
                const std::int64_t iw = c * sw - pads[1] + j * dw;
                if (ih < 0 || ih >= height || iw < 0 || iw >= width) continue;
                const std::int64_t channel = m / per_group * depth + d;
                const std::int32_t v =
                    q[static_cast<std::size_t>(((n * groups * depth + channel) * height + ih) * width + iw)];
                acc += Wide{v - layer.x.zero} *
                       (w[static_cast<std::size_t>(((m * depth + d) * kh + i) * kw + j)] -
                        layer.z_w[layer.at(m)]);
              }
          RC_ASSERT((*y)[next++] == finish(layer, m, acc, wide));
        }
}

RC_GTEST_PROP(Linear, AConvOfOnePixelIsAGemm, ()) {
  const std::int64_t depth = 1 + choose(9);
  const std::int64_t channels = 1 + choose(9);
  Layer layer = any_layer({channels, depth});
  RC_PRE(!is_wide(layer) || layer.spec.mode != numeric::Arithmetic::onnx);
  const Tensor x = random_integers({3, depth}, layer.x.dtype, static_cast<std::uint64_t>(choose(1 << 30)));
  const auto gemm =
      run_layer(layer, graph_of(layer, ir::Gemm{.trans_b = true}, {kDynamic, depth}, layer.q_w, 0), x);
  layer.q_w = layer.q_w.reshaped({channels, depth, 1, 1});
  const auto conv = run_layer(layer, graph_of(layer, ir::Conv{}, {kDynamic, depth, 1, 1}, layer.q_w, 0),
                              x.reshaped({3, depth, 1, 1}));
  RC_ASSERT(gemm == conv);
}

Layer wide_layer(const numeric::ArithmeticSpec& spec) {
  Layer layer;
  layer.spec = spec;
  layer.x = {0x1p-4F, 65535, DType::uint16};
  layer.y = {1024.0F * (spec.mode == numeric::Arithmetic::shift ? 1.0F : 1.37F), -7, DType::int16};
  layer.s_w = {0x1p-5F};
  layer.z_w = {0};
  layer.q_w = random_integers({3, 1025}, DType::int8, 5);
  layer.bias = {1 << 30, -(1 << 30), 12345};
  return layer;
}

TEST(Linear, SumsBeyondInt32AreWideAndExactAndTakeAMultiplierOfSixteenBits) {
  for (const numeric::ArithmeticSpec& spec : {numeric::ArithmeticSpec{},
                                     {.mantissa_bits = 16},
                                     {.mantissa_bits = 8},
                                     {.mode = numeric::Arithmetic::shift}}) {
    const Layer layer = wide_layer(spec);
    ASSERT_TRUE(is_wide(layer));
    const QuantizedGraph quantized =
        lower::lower(graph_of(layer, ir::Gemm{.trans_b = true}, {kDynamic, 1025}, layer.q_w, 0));
    const Linear& linear = std::get<Gemm>(quantized.nodes.at(0).op).linear;
    EXPECT_TRUE(linear.wide);
    for (std::int64_t c = 0; c < 3; ++c)
      EXPECT_EQ(linear.bound[static_cast<std::size_t>(c)], static_cast<std::int64_t>(bound_of(layer, c)));
    if (const auto* multiply = std::get_if<MultiplyShift>(&linear.requantizer.scaling)) {
      EXPECT_LE(multiply->mantissa_bits, 16);
      for (std::int64_t m : multiply->m) EXPECT_LT(m, 1 << 15);
    }
    for (int extreme : {0, 1, 2}) {
      Tensor x = random_integers({1, 1025}, DType::uint16, 9);
      if (extreme > 0)
        for (std::size_t k = 0; k < 1025; ++k)
          x.mutable_data<std::uint16_t>()[k] =
              (numeric::to_int32(layer.q_w)[k] > 0) == (extreme == 1) ? 65535 : 0;
      const auto y = numeric::to_int32(Interpreter(quantized).run({&x, 1}).at(0));
      const auto q = numeric::to_int32(x);
      const auto w = numeric::to_int32(layer.q_w);
      for (std::int64_t c = 0; c < 3; ++c) {
        Wide acc = 0;
        for (std::size_t k = 0; k < 1025; ++k)
          acc += Wide{q[k] - 65535} * w[static_cast<std::size_t>(c) * 1025 + k];
        EXPECT_EQ(y[static_cast<std::size_t>(c)], finish(layer, c, acc, true));
      }
    }
  }
}

TEST(Linear, SumsBeyondInt32HaveNoOnnxArithmetic) {
  const Layer layer = wide_layer({.mode = numeric::Arithmetic::onnx});
  const auto graph = graph_of(layer, ir::Gemm{.trans_b = true}, {kDynamic, 1025}, layer.q_w, 0);
  EXPECT_THAT(message_of<InputError>([&] { lower::lower(graph); }), testing::HasSubstr("real"));
}

TEST(Linear, TheBoundAtTheEdgeOfInt32DecidesWhetherALayerIsWide) {
  // |x| reaches 128 and one weight is 1: the bound is 128 + |bias|.
  for (const auto& [bias, wide] : std::vector<std::pair<std::int32_t, bool>>{{INT32_MAX - 128, false},
                                                                             {INT32_MAX - 127, true},
                                                                             {-(INT32_MAX - 128), false},
                                                                             {-(INT32_MAX - 127), true}}) {
    Layer layer;
    layer.x = {1.0F, 0, DType::int8};
    layer.y = {0x1p24F, 0, DType::int8};
    layer.s_w = {1.0F};
    layer.z_w = {0};
    layer.q_w = int8s({1, 1}, {1});
    layer.bias = {bias};
    const QuantizedGraph quantized =
        lower::lower(graph_of(layer, ir::Gemm{.trans_b = true}, {kDynamic, 1}, layer.q_w, 0));
    EXPECT_EQ(std::get<Gemm>(quantized.nodes.at(0).op).linear.wide, wide) << bias;
  }
}

TEST(Linear, TiesGoToTheEvenInteger) {
  // M = 1/2: x of 1, 3, 5, −1, −3 gives 0, 2, 2, 0, −2.
  for (const numeric::ArithmeticSpec& spec : {numeric::ArithmeticSpec{},
                                     {.mantissa_bits = 16},
                                     {.mantissa_bits = 8},
                                     {.mode = numeric::Arithmetic::shift},
                                     {.mode = numeric::Arithmetic::onnx}}) {
    Layer layer;
    layer.spec = spec;
    layer.x = {1.0F, 0, DType::int8};
    layer.y = {2.0F, 0, DType::int8};
    layer.s_w = {1.0F};
    layer.z_w = {0};
    layer.q_w = int8s({1, 1}, {1});
    const auto graph = graph_of(layer, ir::Gemm{.trans_b = true}, {kDynamic, 1}, layer.q_w, 0);
    const Tensor x = int8s({6, 1}, {1, 3, 5, -1, -3, 127});
    EXPECT_TRUE(Interpreter(lower::lower(graph)).run({&x, 1}).at(0) == int8s({6, 1}, {0, 2, 2, 0, -2, 64}))
        << describe(spec);
  }
}

TEST(Linear, OutputsSaturateAtBothEnds) {
  Layer layer;
  layer.x = {1.0F, 0, DType::int8};
  layer.y = {0x1p-20F, 100, DType::uint8};
  layer.s_w = {1.0F};
  layer.z_w = {0};
  layer.q_w = int8s({1, 1}, {127});
  const auto graph = graph_of(layer, ir::Gemm{.trans_b = true}, {kDynamic, 1}, layer.q_w, 0);
  const Tensor x = int8s({3, 1}, {-128, 0, 127});
  EXPECT_THAT(numeric::to_int32(Interpreter(lower::lower(graph)).run({&x, 1}).at(0)),
              testing::ElementsAre(0, 100, 255));
}

TEST(Linear, MatMulOfStacksTakesEveryRow) {
  Qdq g;
  const ir::ValueId x = g.dequantize(g.input({kDynamic, 3, 2}, DType::int8), {1.0F, 1, DType::int8}, "x");
  const ir::ValueId y =
      g.node(ir::MatMul{}, {x, g.weights(int8s({2, 2}, {1, 2, 3, 4}), {1.0F}, {0}, 1, "w")}, "real");
  const QuantizedGraph quantized = g.lowered(g.quantize(y, {1.0F, 0, DType::int8}, "y"));
  const Tensor in = int8s({1, 3, 2}, {1, 1, 2, 1, 1, 2});
  EXPECT_TRUE(Interpreter(quantized).run({&in, 1}).at(0) == int8s({1, 3, 2}, {0, 0, 1, 2, 3, 4}));
}

TEST(Linear, ScalesThatAreNoPowersOfTwoAreRefusedInModeShiftByName) {
  for (int which = 0; which < 3; ++which) {
    Layer layer;
    layer.spec.mode = numeric::Arithmetic::shift;
    layer.x = {which == 0 ? 0.3F : 0.5F, 0, DType::int8};
    layer.y = {which == 1 ? 0.3F : 0.5F, 0, DType::int8};
    layer.s_w = {0.25F, which == 2 ? 0.3F : 0.25F};
    layer.z_w = {0, 0};
    layer.q_w = int8s({2, 1}, {1, 2});
    const auto graph = graph_of(layer, ir::Gemm{.trans_b = true}, {kDynamic, 1}, layer.q_w, 0);
    EXPECT_THAT(message_of<InputError>([&] { lower::lower(graph); }),
                testing::AllOf(testing::HasSubstr("real"), testing::HasSubstr("0.3")))
        << which;
  }
}

}  // namespace
}  // namespace halftone::qgraph
