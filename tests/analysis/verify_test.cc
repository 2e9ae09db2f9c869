// verify finds what is wrong, says where, and leaves what is right alone.
#include "halftone/analysis/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "halftone/lower/qoperators.h"
#include "tests/analysis/network.h"

namespace halftone::analysis {
namespace {

using numeric::Arithmetic;

const std::vector<numeric::ArithmeticSpec> kSpecs = {
    {}, {.mantissa_bits = 16}, {.mantissa_bits = 8}, {.mode = Arithmetic::shift}, {.mode = Arithmetic::onnx}};

Verification verify_network(const Network& network, const calibration::BatchOptions& options = {}) {
  return verify(network.simulated, qgraph::Interpreter(network.integers), network.integers, network.dataset,
                {}, options);
}

// A weight that differs by so many steps, within its format.
void change(qgraph::Linear& linear, std::size_t place, int by) {
  std::int8_t& q = linear.q_w.mutable_data<std::int8_t>()[place];
  q = static_cast<std::int8_t>(q > 0 ? q - by : q + by);
}

// The layers with unexplained differences.
std::vector<std::string> blamed(const Verification& verification) {
  std::vector<std::string> names;
  for (const LayerComparison& layer : verification.layers)
    if (layer.unexplained > 0) names.push_back(layer.name);
  return names;
}

void expect_blamed(const Network& network, const std::string& layer) {
  const Verification verification = verify_network(network);
  EXPECT_THAT(blamed(verification), testing::ElementsAre(layer)) << describe(network.integers.arithmetic);
  EXPECT_GT(verification.unexplained, 0);
  const LayerComparison* worst = verification.worst();
  ASSERT_NE(worst, nullptr);
  EXPECT_EQ(worst->name, layer);
  EXPECT_GE(worst->first_row, 0);
  EXPECT_LT(worst->first_row, network.dataset.size());
}

TEST(Verify, ACorrectNetworkHasNothingUnexplained) {
  for (const auto& spec : kSpecs) {
    const Verification verification = verify_network(Network(spec));
    EXPECT_THAT(blamed(verification), testing::IsEmpty()) << describe(spec);
    EXPECT_EQ(verification.samples, 128);
  }
}

TEST(Verify, ComparesEveryLayerAndEveryElement) {
  const Network network;
  const Verification verification = verify_network(network);
  std::vector<std::string> expected;
  std::int64_t elements = 0;
  for (const qgraph::Node& node : network.integers.nodes) {
    if (std::holds_alternative<qgraph::Dequantize>(node.op)) continue;
    expected.push_back(network.integers.value(node.output()).name);
    Shape shape = network.integers.value(node.output()).shape;
    shape[0] = 128;
    elements += element_count(shape);
  }
  std::vector<std::string> got;
  for (const LayerComparison& layer : verification.layers) got.push_back(layer.name);
  EXPECT_EQ(got, expected);
  EXPECT_EQ(verification.compared, elements);
}

TEST(Verify, ItsCountsDependOnNeitherBatchesNorThreads) {
  Network network({.mantissa_bits = 8});
  change(network.layer<qgraph::Conv>("conv2").linear, 3, 2);
  const Verification whole = verify_network(network, {.batch_size = 128});
  for (std::int64_t batch : {1, 3, 64, 127, 200})
    for (int threads : {1, 2}) {
      const Verification other = verify_network(network, {.batch_size = batch, .threads = threads});
      ASSERT_EQ(other.layers.size(), whole.layers.size());
      for (std::size_t i = 0; i < whole.layers.size(); ++i) {
        const auto fields = [](const LayerComparison& l) {
          return std::tuple(l.name, l.compared, l.different, l.unexplained, l.max_difference, l.first_row,
                            l.first_element);
        };
        EXPECT_EQ(fields(other.layers[i]), fields(whole.layers[i])) << batch << " " << threads;
      }
      EXPECT_EQ(other.end_to_end_different, whole.end_to_end_different);
      EXPECT_EQ(other.predictions_different, whole.predictions_different);
    }
}

TEST(Verify, FindsOneWrongWeight) {
  for (const auto& spec : kSpecs) {
    Network network(spec);
    change(network.layer<qgraph::Conv>("conv2").linear, 5, spec.mantissa_bits == 8 ? 40 : 1);
    expect_blamed(network, "conv2_quantized");
  }
}

TEST(Verify, FindsOneWrongBias) {
  for (const auto& spec : kSpecs) {
    if (spec.mantissa_bits < 32) continue;  // one step of the bias is less than its multipliers' own error
    Network network(spec, 512);
    network.layer<qgraph::Conv>("conv1").linear.bias[2] += 1;
    expect_blamed(network, "relu1_quantized");
  }
}

TEST(Verify, FindsOneWrongMultiplier) {
  for (int bits : {32, 16, 8}) {
    Network network({.mantissa_bits = bits});
    std::int64_t& m = std::get<qgraph::MultiplyShift>(network.layer<qgraph::Gemm>("scores").linear.requantizer.scaling).m[1];
    m += m / 16;
    expect_blamed(network, "scores_quantized");
  }
}

TEST(Verify, FindsOneWrongShift) {
  for (const auto& spec : kSpecs) {
    if (spec.mode == Arithmetic::onnx) continue;
    Network network(spec);
    auto& scaling = network.layer<qgraph::Conv>("conv2").linear.requantizer.scaling;
    if (auto* multiply = std::get_if<qgraph::MultiplyShift>(&scaling))
      multiply->shift[0] += 1;
    else
      std::get<qgraph::Shift>(scaling).shift[0] += 1;
    expect_blamed(network, "conv2_quantized");
  }
}

TEST(Verify, FindsAWrongFloatMultiplier) {
  Network network({.mode = Arithmetic::onnx});
  std::get<qgraph::Float32>(network.layer<qgraph::Conv>("conv2").linear.requantizer.scaling).M[0] *= 1.01F;
  expect_blamed(network, "conv2_quantized");
}

TEST(Verify, FindsAWrongZeroPointOfTheOutput) {
  for (const auto& spec : kSpecs) {
    Network network(spec);
    network.layer<qgraph::Conv>("conv2").linear.requantizer.bounds.zero_point +=
        spec.mantissa_bits == 8 ? 3 : 1;
    expect_blamed(network, "conv2_quantized");
  }
}

TEST(Verify, FindsAWrongZeroPointOfTheInput) {
  for (const auto& spec : kSpecs) {
    Network network(spec);
    network.layer<qgraph::Conv>("conv2").x_zero_point += 5;
    expect_blamed(network, "conv2_quantized");
  }
}

TEST(Verify, FindsAWrongBoundOfARelu) {
  Network network;
  network.layer<qgraph::Conv>("conv1").linear.requantizer.bounds.lo += 2;
  expect_blamed(network, "relu1_quantized");
}

// A file of operators on integers, with a Clip of integers for what relu1 bounds.
TEST(Verify, JudgesIntegersThatAClipBoundsBehindTheClip) {
  Network network;
  const ir::Graph real = float_network();
  quant::Recipe recipe = recipe_of({.mode = Arithmetic::onnx});
  recipe.activations.scheme = numeric::Scheme::symmetric;
  const auto ranges = quant::ranges_on(real, network.dataset.images);
  network.simulated = lower::with_integer_operators(quant::quantize(real, ranges, recipe).graph);
  network.integers = lower::lower(network.simulated);
  ASSERT_TRUE(network.simulated.find("relu1_quantized_unclipped"));
  const Verification verification = verify_network(network);
  EXPECT_EQ(verification.unexplained, 0);
  const auto judged = [&](std::string_view name) {
    return std::ranges::count(verification.layers, name, &LayerComparison::name);
  };
  EXPECT_EQ(judged("relu1_quantized"), 1);
  EXPECT_EQ(judged("relu1_quantized_unclipped"), 0);
  network.layer<qgraph::Conv>("conv1").linear.requantizer.bounds.lo += 2;
  expect_blamed(network, "relu1_quantized");
}

TEST(Verify, JudgesQonnxNodesAndOperatorsOnIntegersInEveryMode) {
  for (const auto& spec : kSpecs) {
    for (bool qonnx : {true, false}) {
      Network network(spec);
      network.simulated = qonnx ? lower::with_quant_nodes(network.simulated)
                                : lower::with_integer_operators(network.simulated);
      network.integers = lower::lower(network.simulated);
      const Verification verification = verify_network(network);
      EXPECT_EQ(verification.unexplained, 0);
      EXPECT_GT(verification.compared, 0);
    }
  }
}

TEST(Verify, FindsAWrongAddAndAveragePool) {
  Network add;
  add.layer<qgraph::Add>("sum").m_b -= add.layer<qgraph::Add>("sum").m_b / 16;
  expect_blamed(add, "sum_quantized");
  Network pool;
  std::get<qgraph::MultiplyShift>(pool.layer<qgraph::AveragePool>("mean").requantizer.scaling).m[0] *= 2;
  expect_blamed(pool, "mean_quantized");
}

// The entry that the samples use most, one step away.
TEST(Verify, FindsOneWrongTableEntryInEveryArithmetic) {
  for (const auto& spec : kSpecs) {
    Network network(spec);
    std::map<int, int> uses;
    qgraph::Interpreter(network.integers)
        .run({&network.dataset.images, 1}, [&](std::string_view name, Tensor& value) {
          if (name != "pool_quantized") return;
          for (std::int32_t q : numeric::to_int32(value)) ++uses[q];
        });
    const auto most = std::ranges::max_element(uses, {}, &std::pair<const int, int>::second);
    qgraph::Table& table = network.layer<qgraph::Table>("tanh");
    table.entries[static_cast<std::size_t>(most->first - table.x_qmin)] -= 1;
    expect_blamed(network, "tanh_quantized");
  }
}

// Elements only move there: no rounding explains a difference.
TEST(Verify, FindsAWrongMaxPoolInEveryArithmetic) {
  class OffByOne : public ir::Executor {
   public:
    explicit OffByOne(qgraph::QuantizedGraph graph) : inner_(std::move(graph)) {}
    std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit) const override {
      return inner_.run(inputs, [&](std::string_view name, Tensor& value) {
        if (name == "pool_quantized")
          for (std::int8_t& q : value.mutable_data<std::int8_t>())
            q = static_cast<std::int8_t>(q == 127 ? 126 : q + 1);
        visit(name, value);
      });
    }

   private:
    qgraph::Interpreter inner_;
  };
  for (const auto& spec : kSpecs) {
    const Network network(spec);
    const Verification verification =
        verify(network.simulated, OffByOne(network.integers), network.integers, network.dataset, {}, {});
    EXPECT_THAT(blamed(verification), testing::ElementsAre("pool_quantized")) << describe(spec);
  }
}

TEST(Verify, TheFirstDifferenceIsTheOneNamed) {
  Network network;
  // One sample is all zeros but one pixel; only there the wrong weight is seen.
  auto pixels = network.dataset.images.mutable_data<float>();
  std::ranges::fill(pixels, 0.0F);
  pixels[77 * 36] = 3.0F;
  // Kernel tap (1, 1) of channel 0 reads pixel (0, 0) for output (0, 0) alone.
  change(network.layer<qgraph::Conv>("conv1").linear, 4, 60);
  const Verification verification = verify_network(network);
  const LayerComparison* worst = verification.worst();
  ASSERT_NE(worst, nullptr);
  EXPECT_EQ(worst->name, "relu1_quantized");
  EXPECT_EQ(worst->first_row, 77);
  EXPECT_EQ(worst->first_element, 0);
}

TEST(Verify, TiesDecidedOtherwiseAreCountedAndExplained) {
  ir::Graph real;
  const ir::ValueId x = real.add_input("x", DType::float32, {kDynamic, 2});
  real.outputs = {real.add_node(ir::Gemm{.trans_b = true},
                                {x, real.add_constant("w", ir::floats({2, 2}, {1, 0, 0, 1}))}, "y")};
  // Scales of 1/16 and 1/8: half of all sums are ties.
  const quant::RangeTable ranges{{"x", {-8.0, 7.9375}}, {"y", {-16.0, 15.875}}};
  const ir::Graph simulated = quant::quantize(real, ranges, recipe_of({.mode = Arithmetic::shift})).graph;
  qgraph::QuantizedGraph integers = lower::lower(simulated);
  const auto dataset = samples(100, {2});
  const auto result = [&] {
    return verify(simulated, qgraph::Interpreter(integers), integers, dataset, {}, {});
  };
  EXPECT_EQ(result().worst(), nullptr);
  for (qgraph::Node& node : integers.nodes)
    if (auto* gemm = std::get_if<qgraph::Gemm>(&node.op))
      gemm->linear.requantizer.rounding = numeric::Rounding::half_up;
  const Verification ties = result();
  EXPECT_EQ(ties.unexplained, 0);
  ASSERT_NE(ties.worst(), nullptr);
  EXPECT_EQ(ties.worst()->max_difference, 1);
}

TEST(Verify, EightBitMultipliersDifferOftenAndAreExplained) {
  const Verification verification = verify_network(Network({.mantissa_bits = 8}));
  EXPECT_GT(verification.different, 0);
  EXPECT_EQ(verification.unexplained, 0);
}

// Operands far larger than their sum: the multipliers' error is theirs, not the sum's.
TEST(Verify, ACorrectAddWhoseOperandsCancelHasNothingUnexplained) {
  const auto dataset = samples(500, {2});
  for (float factor : {0.99F, 0.98F, 0.97F, 0.96F, 0.95F, 0.94F, 0.93F, 0.92F}) {
    ir::Graph real;
    const ir::ValueId x = real.add_input("x", DType::float32, {kDynamic, 2});
    const ir::ValueId a =
        real.add_node(ir::MatMul{}, {x, real.add_constant("w", ir::floats({2, 2}, {1, 0, 0, 1}))}, "a");
    const ir::ValueId b = real.add_node(
        ir::MatMul{}, {x, real.add_constant("v", ir::floats({2, 2}, {-factor, 0, 0, -factor}))}, "b");
    real.outputs = {real.add_node(ir::Add{}, {a, b}, "sum")};
    auto ranges = quant::ranges_on(real, dataset.images);
    ranges["sum"].hi *= 1.07 + factor;  // no simple ratio of the scales
    for (const auto& spec : kSpecs) {
      const ir::Graph simulated = quant::quantize(real, ranges, recipe_of(spec)).graph;
      const auto integers = lower::lower(simulated);
      EXPECT_THAT(blamed(verify(simulated, qgraph::Interpreter(integers), integers, dataset, {}, {})),
                  testing::IsEmpty())
          << describe(spec) << " " << factor;
    }
  }
}

// A wide layer of 16-bit activations: its multiplier has 16 bits though the network's have 32. Every row of
// samples is one number and every weight 127, so that sums come near their bound, where the multiplier's
// error is largest.
void expect_wide_layer_explained(float largest) {
  ir::Graph g;
  numeric::write_arithmetic({}, g.metadata);
  const auto pair = [&](ir::ValueId x, float scale, const std::string& name) {
    const ir::ValueId s = g.add_constant(name + "_s", ir::scalar_of(scale));
    const ir::ValueId z = g.add_constant(name + "_z", Tensor(DType::int16, {}));
    return g.add_node(ir::DequantizeLinear{}, {g.add_node(ir::QuantizeLinear{}, {x, s, z}, name), s, z},
                      name + "_dq");
  };
  const ir::ValueId x = pair(g.add_input("x", DType::float32, {kDynamic, 1500}), 4.0F / 32767.0F, "xq");
  Tensor q(DType::int8, {1, 1500});
  std::ranges::fill(q.mutable_data<std::int8_t>(), std::int8_t{127});
  const ir::ValueId w =
      g.add_node(ir::DequantizeLinear{},
                 {g.add_constant("w", q), g.add_constant("s", ir::scalar_of(1.0F / 127.0F))}, "w_dq");
  g.outputs = {pair(g.add_node(ir::Gemm{.trans_b = true}, {x, w}, "y"), largest / 32767.0F, "yq")};
  const auto integers = lower::lower(g);
  for (const qgraph::Node& node : integers.nodes) {
    const auto* gemm = std::get_if<qgraph::Gemm>(&node.op);
    ASSERT_TRUE(gemm == nullptr || gemm->linear.wide);
  }
  data::Dataset dataset = samples(400, {1500});
  auto pixels = dataset.images.mutable_data<float>();
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = pixels[i / 1500 * 1500];
  EXPECT_THAT(blamed(verify(g, qgraph::Interpreter(integers), integers, dataset, {}, {})), testing::IsEmpty())
      << largest;
}

TEST(Verify, ACorrectWideLayerHasNothingUnexplained) {
  for (float largest : {6000.0F, 6100.0F, 6300.0F, 6700.0F}) expect_wide_layer_explained(largest);
}

TEST(Verify, NoSamplesNoDifferences) {
  const Network network;
  data::Dataset none = network.dataset;
  none.images = none.images.rows(0, 0);
  none.labels.clear();
  const Verification verification =
      verify(network.simulated, qgraph::Interpreter(network.integers), network.integers, none, {}, {});
  EXPECT_EQ(verification.compared, 0);
  EXPECT_EQ(verification.worst(), nullptr);
}

}  // namespace
}  // namespace halftone::analysis
