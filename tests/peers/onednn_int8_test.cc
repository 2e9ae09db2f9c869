// The chain that oneDNN's peer builds of a network, and networks that it refuses.
#include "halftone/peers/onednn_int8.h"

#include <gmock/gmock.h>

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/lower/lower.h"
#include "halftone/peers/onednn_matmul.h"
#include "halftone/qgraph/interpreter.h"
#include "tests/quant/network.h"

namespace halftone::peers {
namespace {

using ir::Graph;
using ir::ValueId;

// Reals from 0 to 1: their zero point is the least integer, which oneDNN's peer takes for 0.
Tensor positive(Shape shape, std::uint64_t seed) {
  Tensor tensor = ir::random_floats(std::move(shape), seed);
  for (float& v : tensor.mutable_data<float>()) v = std::fabs(v) / 4.0F;
  return tensor;
}

qgraph::QuantizedGraph quantized(const Graph& real) {
  Shape shape = real.value(real.inputs[0]).shape;
  shape[0] = 20;
  return lower::lower(quant::quantize(real, quant::ranges_on(real, positive(shape, 9)), {}).graph);
}

struct Layers {
  Graph g;
  int count = 0;

  ValueId conv(ValueId x, std::int64_t channels, std::int64_t kernel, std::int64_t stride = 1, std::int64_t groups = 1) {
    const std::string name = "conv" + std::to_string(count++);
    const std::int64_t pad = kernel / 2;
    Tensor w = ir::random_floats({channels, g.value(x).shape[1] / groups, kernel, kernel}, static_cast<std::uint64_t>(count));
    for (float& v : w.mutable_data<float>()) v /= 16.0F;
    return g.add_node(ir::Conv{{.strides = {stride, stride}, .pads = {pad, pad, pad, pad}}, groups},
                      {x, g.add_constant(name + "_w", std::move(w))}, name);
  }
  ValueId relu(ValueId x) { return g.add_node(ir::Relu{}, {x}, g.value(x).name + "_relu"); }
  ValueId scores(ValueId x) {
    const ValueId flat = g.add_node(ir::Flatten{}, {x}, "flat");
    return g.add_node(ir::Gemm{}, {flat, g.add_constant("v", ir::random_floats({g.value(flat).shape[1], 5}, 77))}, "scores");
  }
};

// A residual, a depthwise layer, a join of two, and one pool or both.
Graph mixed_network(bool with_mean = true) {
  Layers l;
  const ValueId x = l.g.add_input("x", DType::float32, {kDynamic, 3, 9, 9});
  const ValueId first = l.relu(l.conv(x, 16, 3));
  const ValueId second = l.relu(l.conv(first, 16, 3));
  const ValueId sum = l.relu(l.g.add_node(ir::Add{}, {l.conv(second, 16, 3), first}, "sum"));
  const ValueId own = l.relu(l.conv(sum, 16, 3, 2, 16));
  const ValueId both = l.g.add_node(ir::Concat{1}, {own, l.relu(l.conv(own, 8, 1))}, "both");
  const ValueId pool = l.g.add_node(ir::MaxPool{{.kernel = {2, 2}, .strides = {1, 1}}}, {both}, "pool");
  l.g.outputs = {l.scores(with_mean ? l.g.add_node(ir::GlobalAveragePool{}, {pool}, "mean") : pool)};
  return l.g;
}

std::vector<std::string> kinds_of(const OnednnInt8& network) {
  std::vector<std::string> kinds;
  for (const Primitive& primitive : network.primitives()) kinds.push_back(primitive.kind);
  return kinds;
}

#ifdef HALFTONE_WITHOUT_ONEDNN

TEST(OnednnInt8, SaysThatItIsMissing) { EXPECT_THROW(OnednnInt8{quantized(mixed_network())}, UnsupportedError); }

#else

TEST(OnednnInt8, HasThePrimitivesOfTheNetworkAndItsMultiplyAdds) {
  const qgraph::QuantizedGraph integers = quantized(mixed_network());
  for (std::int64_t batch : {1, 3}) {
    OnednnInt8 network(integers, {.batch = batch});
    EXPECT_THAT(kinds_of(network), testing::ElementsAre("reorder", "convolution", "convolution", "convolution", "convolution", "convolution",
                                                        "concat", "pooling", "pooling", "inner_product"));
    std::int64_t macs = 0;
    for (const Primitive& primitive : network.primitives()) macs += primitive.multiply_adds;
    EXPECT_EQ(macs, qgraph::count_work(integers).integer_macs * batch);
    EXPECT_EQ(network.primitives().front().dtype, DType::uint8);
    EXPECT_EQ(network.primitives().at(4).shape, (Shape{batch, 16, 5, 5}));
    EXPECT_EQ(network.primitives().back().dtype, DType::float32);
    EXPECT_EQ(network.primitives().back().shape, (Shape{batch, 5}));
    EXPECT_EQ(network.input(0).size(), static_cast<std::size_t>(batch * 3 * 9 * 9));
    EXPECT_EQ(network.output(0).size(), static_cast<std::size_t>(batch * 5));
  }
}

// Where no zero point and no change of scale is dropped, what comes out is the network's own but for roundings, and for sums that saturate on some machines.
TEST(OnednnInt8, ComputesTheNetwork) {
  const qgraph::QuantizedGraph integers = quantized(mixed_network(false));
  OnednnInt8 network(integers, {.batch = 2});
  const Tensor x = positive({2, 3, 9, 9}, 5);
  std::ranges::copy(x.data<float>(), network.input(0).begin());
  network.run();
  network.run();  // the residual's memory was written over
  const std::vector<Tensor> expected = qgraph::Interpreter(integers).run({&x, 1});
  double error = 0.0;
  double size = 0.0;
  for (std::size_t i = 0; i < 10; ++i) {
    error += std::pow(double{network.output(0)[i]} - double{expected[0].data<float>()[i]}, 2);
    size += std::pow(double{expected[0].data<float>()[i]}, 2);
  }
  EXPECT_LT(std::sqrt(error / size), 0.1);
}

TEST(OnednnInt8, TakesAFlattenedPlaneAsItLies) {
  Layers l;
  const ValueId x = l.g.add_input("x", DType::float32, {kDynamic, 3, 6, 6});
  l.g.outputs = {l.scores(l.relu(l.conv(x, 16, 3)))};
  const OnednnInt8 network(quantized(l.g));
  EXPECT_THAT(kinds_of(network), testing::ElementsAre("reorder", "convolution", "inner_product"));
}

// The residual is read again behind the sum: it has to stay.
TEST(OnednnInt8, KeepsAResidualThatIsReadLater) {
  Layers l;
  const ValueId x = l.g.add_input("x", DType::float32, {kDynamic, 3, 6, 6});
  const ValueId first = l.relu(l.conv(x, 16, 3));
  const ValueId sum = l.g.add_node(ir::Add{}, {l.conv(first, 16, 3), first}, "sum");
  l.g.outputs = {l.scores(l.g.add_node(ir::Add{}, {l.conv(sum, 16, 1), first}, "sum_again"))};
  const OnednnInt8 network(quantized(l.g));
  EXPECT_THAT(kinds_of(network), testing::ElementsAre("reorder", "convolution", "convolution", "binary", "convolution", "inner_product"));
}

TEST(OnednnInt8, PutsAReluInThePlaceOfATableBehindALayer) {
  Layers l;
  const ValueId x = l.g.add_input("x", DType::float32, {kDynamic, 3, 6, 6});
  l.g.outputs = {l.scores(l.g.add_node(ir::Tanh{}, {l.conv(x, 16, 3)}, "tanh"))};
  EXPECT_THAT(kinds_of(OnednnInt8(quantized(l.g))), testing::ElementsAre("reorder", "convolution", "inner_product"));
}

TEST(OnednnInt8, NamesTheNodeThatItHasNot) {
  Layers l;
  const ValueId x = l.g.add_input("x", DType::float32, {kDynamic, 4, 6, 6});
  const ValueId turned = l.g.add_node(ir::Transpose{{0, 2, 3, 1}}, {l.relu(l.conv(x, 16, 3))}, "turned");
  l.g.outputs = {l.scores(turned)};
  try {
    OnednnInt8 network(quantized(l.g));
    FAIL() << "built";
  } catch (const UnsupportedError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("[turned]"));
  }
}

TEST(OnednnMatmul, Runs) {
  OnednnMatmul matmul({.rows = 3, .depth = 17, .columns = 5});
  matmul.run();
  EXPECT_NE(matmul.implementation(), "");
}

#endif

}  // namespace
}  // namespace halftone::peers
