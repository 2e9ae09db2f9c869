// Every byte of every value equals the interpreter's: random networks, every instruction set, batches, threads.
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <map>

#include "halftone/engine/executor.h"
#include "halftone/base/error.h"
#include "halftone/ir/interpreter.h"
#include "halftone/engine/separable.h"
#include "halftone/engine/steps.h"
#include "halftone/lower/fused_op.h"
#include "halftone/lower/lower.h"
#include "halftone/quant/quantize.h"
#include "tests/quant/network.h"
#include "halftone/qgraph/interpreter.h"
#include "tests/engine/random_network.h"
#include "tests/ir/tensors.h"

namespace halftone::engine {
namespace {

using Values = std::map<std::string, Tensor, std::less<>>;

Values values_of(const ir::Executor& executor, const Tensor& x) {
  Values values;
  executor.run({&x, 1}, [&](std::string_view name, Tensor& value) { values.insert_or_assign(std::string(name), value); });
  return values;
}

// Threads share whatever can be shared, small as it is.
Options options_for(kernels::Isa isa) {
  return {.isa = isa, .least_part = 0.0, .make_executor = [](const ir::Graph& graph) { return std::make_unique<ir::Interpreter>(graph); }};
}

Tensor random_input(Shape sample, std::int64_t batch, std::uint64_t seed) {
  sample[0] = batch;
  return ir::random_floats(sample, seed);
}

void expect_equal(std::uint64_t seed) {
  const RandomNetwork network = random_network(seed);
  const auto batch = static_cast<std::int64_t>(seed % 4 + 1);
  const Tensor x = random_input(network.sample, batch, seed);
  const qgraph::Interpreter judge(network.integers);
  const Values expected = values_of(judge, x);
  const std::vector<Tensor> outputs = judge.run({&x, 1});
  for (kernels::Isa isa : kernels::supported_isas()) {
    const std::string where = "seed " + std::to_string(seed) + ", " + std::string(name_of(isa)) + ", " + network.recipe;
    const Executor planned(network.integers, options_for(isa));
    for (int threads : {1, 2, 3}) {
      const auto executor = planned.with_threads(threads);
      const Values values = values_of(*executor, x);
      for (const auto& [name, value] : expected) {
        const auto found = values.find(name);
        ASSERT_NE(found, values.end()) << where << ": " << name;
        ASSERT_TRUE(found->second == value) << where << ": " << name << " " << to_string(value.shape()) << ", " << threads << " threads";
      }
      const std::vector<Tensor> mine = executor->run({&x, 1});
      ASSERT_EQ(mine.size(), outputs.size());
      for (std::size_t i = 0; i < mine.size(); ++i) ASSERT_TRUE(mine[i] == outputs[i]) << where << ": output " << i << ", " << threads << " threads";
    }
  }
}

// So many networks: the long test has HALFTONE_NETWORKS=3000.
std::uint64_t networks() {
  const char* asked = std::getenv("HALFTONE_NETWORKS");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 120;
}

TEST(Equality, RandomNetworksGiveTheInterpretersBytes) {
  for (std::uint64_t seed = 0; seed < networks(); ++seed) {
    expect_equal(seed);
    if (HasFatalFailure()) return;
  }
}

// How many layers that kernels take read and write so many bytes an element.
void count_forms(const qgraph::QuantizedGraph& graph, std::map<std::string, int>& count) {
  for (const qgraph::Node& node : graph.nodes) {
    const auto* gemm = std::get_if<qgraph::Gemm>(&node.op);
    const auto* conv = std::get_if<qgraph::Conv>(&node.op);
    if (gemm == nullptr && conv == nullptr) continue;
    const qgraph::Linear& linear = gemm != nullptr ? gemm->linear : conv->linear;
    const Layout x = layout_of(graph.value(node.inputs[0]), {});
    const Layout y = layout_of(graph.value(node.output()), {});
    if (has_kernels(linear, x, y)) ++count[(gemm != nullptr ? "Gemm " : "Conv ") + std::to_string(x.element) + std::to_string(y.element)];
  }
}

TEST(Equality, LayersOfBytesAndWordsAreAmongTheRandomNetworks) {
  std::map<std::string, int> count;
  for (std::uint64_t seed = 0; seed < 120; ++seed) count_forms(random_network(seed).integers, count);
  for (const char* form : {"Gemm 11", "Gemm 12", "Gemm 21", "Gemm 22", "Conv 11", "Conv 12", "Conv 21", "Conv 22"}) EXPECT_GE(count[form], 1) << form;
}

// Random networks test what they are meant to: every op, and both ways of sums.
TEST(Equality, EveryOpIsAmongTheRandomNetworks) {
  std::map<std::string_view, int> count;
  for (std::uint64_t seed = 0; seed < 120; ++seed)
    for (const qgraph::Node& node : random_network(seed).integers.nodes) ++count[qgraph::name_of(node.op)];
  for (const char* op : {"Add", "AveragePool", "Concat", "Conv", "Dequantize", "Extreme", "Gemm", "Island", "MaxPool", "Move", "Mul", "Pad",
                         "Quantize", "Table"})
    EXPECT_GE(count[op], 1) << op;
}

// Integers in, integers out at another scale: what files of other tools have between layers. Every integer of the format.
TEST(Equality, ARequantizeOfEveryFormat) {
  for (int bits : {2, 4, 8, 11, 16})
    for (bool is_signed : {false, true})
      for (numeric::Rounding rounding : {numeric::Rounding::half_even, numeric::Rounding::half_away, numeric::Rounding::half_up}) {
        const numeric::Grid x{{bits, is_signed, false}, {0.37F, is_signed ? 1 : 2}};
        const numeric::Grid y{{8, !is_signed, false}, {0.74F, 3}};
        std::vector<std::int32_t> all;
        for (std::int32_t q = x.format.qmin(); q <= x.format.qmax(); ++q) all.push_back(q);
        qgraph::QuantizedGraph graph;
        graph.arithmetic.rounding = rounding;
        graph.values = {{"x", {kDynamic, static_cast<std::int64_t>(all.size())}, numeric::storage_dtype(x.format), x},
                        {"y", {kDynamic, static_cast<std::int64_t>(all.size())}, numeric::storage_dtype(y.format), y}};
        graph.nodes.push_back({"requantize", lower::make_requantize(x, y, graph.arithmetic, "requantize"), {0}, {1}});
        graph.inputs = {0};
        graph.outputs = {1};
        const Tensor input = numeric::from_int32({1, static_cast<std::int64_t>(all.size())}, all, graph.values[0].dtype);
        const Tensor expected = qgraph::Interpreter(graph).run({&input, 1}).at(0);
        EXPECT_TRUE(Executor(graph).run({&input, 1}).at(0) == expected) << bits << is_signed;
      }
}

// A network of one input in integers, on 3 samples.
void expect_equal(const ir::Graph& real, const Tensor& x) {
  const qgraph::QuantizedGraph integers = lower::lower(quant::quantize(real, quant::ranges_of(real, 3), {}).graph);
  const std::vector<Tensor> expected = qgraph::Interpreter(integers).run({&x, 1});
  for (kernels::Isa isa : kernels::supported_isas()) EXPECT_TRUE(Executor(integers, options_for(isa)).run({&x, 1}) == expected) << name_of(isa);
}

// A border that is far larger than its plane is not stored.
TEST(Equality, PaddingBeyondThePlane) {
  for (std::int64_t far : {std::int64_t{7}, std::int64_t{40}, std::int64_t{12000}, std::int64_t{1} << 28}) {
    ir::Graph g;
    const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 3, 8, 8});
    const ir::Conv conv{.window = {.pads = {far, far, far, far}, .dilations = {far, far}}};
    g.outputs = {g.add_node(conv, {x, g.add_constant("w", ir::random_floats({5, 3, 3, 3}, 1))}, "y")};
    expect_equal(g, ir::random_floats({3, 3, 8, 8}, 2));
  }
}

TEST(Equality, SamplesThatLeaveTheFirstDimension) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 5});
  const ir::ValueId turned = g.add_node(ir::Transpose{{1, 0}}, {x}, "turned");
  g.outputs = {g.add_node(ir::Transpose{{1, 0}}, {g.add_node(ir::Tanh{}, {turned}, "tanh")}, "y")};
  expect_equal(g, ir::random_floats({3, 5}, 2));
}

TEST(Equality, SoftmaxBehindIntegersRunsSampleBySample) {
  for (std::int64_t axis : {-1, 0}) {
    ir::Graph g = quant::conv_network();
    g.outputs = {g.add_node(ir::Softmax{{.axis = axis}}, {g.outputs[0]}, "soft")};
    EXPECT_EQ(is_separable(lower::lower(quant::quantize(g, quant::ranges_of(g), {}).graph)), axis == -1);
    expect_equal(g, ir::random_floats({3, 1, 4, 4}, 2));
  }
}

class Refusals : public testing::Test {
 protected:
  RandomNetwork network_ = random_network(3);
  Executor executor_{network_.integers, options_for(kernels::best_isa())};
};

TEST_F(Refusals, WrongInputsAreNamed) {
  Tensor x = random_input(network_.sample, 2, 1);
  EXPECT_THROW(executor_.run({}), InputError);
  const Tensor doubles = x.cast(DType::float64);
  EXPECT_THROW(executor_.run({&doubles, 1}), InputError);
  const Tensor flat = x.reshaped({x.size()});
  EXPECT_THROW(executor_.run({&flat, 1}), InputError);
  x.mutable_data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(executor_.run({&x, 1}), InputError);
}

TEST_F(Refusals, SpansOfOtherSizesAreRefused) {
  const Program program(network_.integers, {.batch = 2, .make_executor = options_for(kernels::best_isa()).make_executor});
  Program::Context context(program);
  const Tensor x = random_input(network_.sample, 2, 1);
  std::vector<std::vector<std::byte>> outputs;
  for (const Program::Port& port : program.outputs()) outputs.emplace_back(port.bytes() * 2);
  const auto run = [&](std::int64_t samples, std::size_t in, std::size_t out_less) {
    const std::span<const std::byte> inputs[] = {x.bytes().first(in)};
    std::vector<std::span<std::byte>> to;
    for (auto& output : outputs) to.push_back(std::span(output).first(output.size() - out_less));
    program.run(context, samples, inputs, to);
  };
  EXPECT_NO_THROW(run(2, x.byte_size(), 0));
  EXPECT_THROW(run(2, x.byte_size() - 1, 0), InputError);
  EXPECT_THROW(run(2, x.byte_size(), 1), InputError);
  EXPECT_THROW(run(3, x.byte_size(), 0), InputError);
  EXPECT_THROW(run(-1, x.byte_size(), 0), InputError);
  EXPECT_THROW(Program(network_.integers, {.batch = 0}), UsageError);
}

}  // namespace
}  // namespace halftone::engine
