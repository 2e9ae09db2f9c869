// The torch form of every op means what ir::Interpreter says.
#include "halftone/qat/forward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ir/interpreter.h"
#include "halftone/models/build.h"
#include "tests/qat/random_tensor.h"

namespace halftone::qat {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kTolerance = 1e-4;

// Largest difference, in units of max(1, |expected|); infinity where the shapes or infinities differ.
double largest_difference(const Tensor& got, const Tensor& expected) {
  if (got.shape() != expected.shape()) return INFINITY;
  double largest = 0;
  for (std::size_t i = 0; i < got.data<float>().size(); ++i) {
    const double a = got.data<float>()[i];
    const double b = expected.data<float>()[i];
    if (a == b) continue;
    const double difference = std::abs(a - b) / std::max(1.0, std::abs(b));
    largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
  }
  return largest;
}

double difference_on(const ir::Graph& graph, const Tensor& x) {
  const std::span<const Tensor> inputs(&x, 1);
  return largest_difference(forward(graph, inputs).at(0), ir::Interpreter(graph).run(inputs).at(0));
}

// One node that reads the input, then `constants`.
ir::Graph one_node(ir::Op op, const Shape& input, const std::vector<Tensor>& constants = {}) {
  ir::Graph graph;
  std::vector<ir::ValueId> inputs{graph.add_input("x", DType::float32, input)};
  for (const Tensor& constant : constants) inputs.push_back(graph.add_constant("c", constant));
  graph.outputs = {graph.add_node(std::move(op), inputs, "y")};
  return graph;
}

struct Case {
  std::string name;
  ir::Op op;
  Shape input;
  std::vector<Tensor> constants = {};
};

Tensor positive(Shape shape, std::mt19937_64& random) {
  Tensor tensor = random_tensor(std::move(shape), random);
  for (float& x : tensor.mutable_data<float>()) x = std::abs(x) + 0.1F;
  return tensor;
}

std::vector<Case> cases() {
  std::mt19937_64 r(5);
  const auto t = [&](Shape shape) { return random_tensor(std::move(shape), r); };
  const auto shape = [](const std::vector<std::int64_t>& dims) {
    return Tensor::from({static_cast<std::int64_t>(dims.size())}, dims);
  };
  return {
      {"add", ir::Add{}, {3, 4}, {t({3, 4})}},
      {"add_broadcast", ir::Add{}, {3, 4, 5}, {t({4, 1})}},
      {"matmul", ir::MatMul{}, {3, 4}, {t({4, 5})}},
      {"matmul_batched", ir::MatMul{}, {2, 3, 4}, {t({4, 5})}},
      {"gemm", ir::Gemm{}, {3, 4}, {t({4, 5})}},
      {"gemm_bias", ir::Gemm{.trans_b = true}, {3, 4}, {t({5, 4}), t({5})}},
      {"gemm_scaled", ir::Gemm{.alpha = 0.5F, .beta = 2.0F, .trans_a = true}, {4, 3}, {t({4, 5}), t({3, 1})}},
      {"conv_bias", ir::Conv{}, {2, 3, 7, 9}, {t({5, 3, 3, 2}), t({5})}},
      {"conv_groups", ir::Conv{.groups = 3}, {2, 6, 5, 5}, {t({9, 2, 3, 3})}},
      {"batch_norm",
       ir::BatchNormalization{.epsilon = 1e-3F},
       {2, 4, 3, 3},
       {t({4}), t({4}), t({4}), positive({4}, r)}},
      {"batch_norm_flat", ir::BatchNormalization{}, {5, 4}, {t({4}), t({4}), t({4}), positive({4}, r)}},
      {"clip", ir::Clip{.lo = -0.5F, .hi = 1.0F}, {50}},
      {"clip_open", ir::Clip{.lo = 0.0F}, {50}},
      {"relu", ir::Relu{}, {50}},
      {"tanh", ir::Tanh{}, {50}},
      {"sigmoid", ir::Sigmoid{}, {50}},
      {"identity", ir::Identity{}, {2, 3}},
      {"global_average_pool", ir::GlobalAveragePool{}, {2, 3, 5, 4}},
      {"flatten", ir::Flatten{}, {2, 3, 4}},
      {"flatten_at_2", ir::Flatten{.axis = 2}, {2, 3, 4}},
      {"flatten_at_0", ir::Flatten{.axis = 0}, {2, 3, 4}},
      {"flatten_from_end", ir::Flatten{.axis = -1}, {2, 3, 4}},
      {"reshape", ir::Reshape{}, {2, 3, 4}, {shape({0, -1})}},
      {"reshape_fixed", ir::Reshape{}, {2, 3, 4}, {shape({4, 1, 6})}},
      {"softmax", ir::Softmax{}, {4, 6}},
      {"softmax_channels", ir::Softmax{{.axis = 1}}, {2, 5, 3}},
      {"softmax_to_end", ir::Softmax{{.axis = 1, .to_end = true}}, {2, 5, 3}},
  };
}

TEST(Forward, EveryOpMeansWhatTheInterpreterSays) {
  std::mt19937_64 random(11);
  for (const Case& c : cases()) {
    const Tensor x = random_tensor(c.input, random);
    EXPECT_LT(difference_on(one_node(c.op, c.input, c.constants), x), kTolerance) << c.name;
  }
}

TEST(Forward, ConstantsMayStandFirst) {
  std::mt19937_64 random(12);
  ir::Graph graph;
  const ir::ValueId a = graph.add_constant("a", random_tensor({3, 4}, random));
  const ir::ValueId x = graph.add_input("x", DType::float32, {4, 2});
  graph.outputs = {graph.add_node(ir::MatMul{}, {a, x}, "y")};
  EXPECT_LT(difference_on(graph, random_tensor({4, 2}, random)), kTolerance);
}

// Any window that fits, padding up to (kernel − 1)·dilation at either end.
ir::Window any_window() {
  ir::Window window;
  std::vector<std::int64_t> ends;
  for (int d = 0; d < 2; ++d) {
    const auto kernel = *rc::gen::inRange<std::int64_t>(1, 5);
    const auto dilation = *rc::gen::inRange<std::int64_t>(1, 3);
    const std::int64_t reach = (kernel - 1) * dilation;
    window.kernel.push_back(kernel);
    window.dilations.push_back(dilation);
    window.strides.push_back(*rc::gen::inRange<std::int64_t>(1, 4));
    window.pads.push_back(*rc::gen::inRange<std::int64_t>(0, reach + 1));
    ends.push_back(*rc::gen::inRange<std::int64_t>(0, reach + 1));
  }
  window.pads.insert(window.pads.end(), ends.begin(), ends.end());
  window.auto_pad = *rc::gen::element(ir::AutoPad::not_set, ir::AutoPad::same_upper, ir::AutoPad::same_lower);
  return window;
}

Tensor any_image(std::int64_t channels) {
  std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
  const auto size = rc::gen::inRange<std::int64_t>(9, 14);  // no smaller than the widest window
  return random_tensor({2, channels, *size, *size}, random);
}

RC_GTEST_PROP(Forward, AnyConvMeansWhatTheInterpreterSays, ()) {
  const ir::Conv conv{.window = any_window()};
  const Tensor x = any_image(2);
  std::mt19937_64 random(7);
  const Tensor weights = random_tensor({3, 2, conv.window.kernel[0], conv.window.kernel[1]}, random);
  RC_ASSERT(difference_on(one_node(conv, x.shape(), {weights}), x) < kTolerance);
}

RC_GTEST_PROP(Forward, AnyMaxPoolMeansWhatTheInterpreterSays, (bool ceil_mode)) {
  ir::MaxPool pool{.window = any_window()};
  pool.window.ceil_mode = ceil_mode;
  const Tensor x = any_image(3);
  RC_ASSERT(difference_on(one_node(pool, x.shape()), x) == 0.0);
}

RC_GTEST_PROP(Forward, AnyAveragePoolMeansWhatTheInterpreterSays, (bool ceil_mode, bool count_include_pad)) {
  ir::AveragePool pool{.window = any_window(), .count_include_pad = count_include_pad};
  pool.window.ceil_mode = ceil_mode;
  const Tensor x = any_image(3);
  RC_ASSERT(difference_on(one_node(pool, x.shape()), x) < kTolerance);
}

TEST(Forward, BuiltInNetworksMeanWhatTheInterpreterSays) {
  std::mt19937_64 random(13);
  for (const char* name : {"mlp", "lenet", "lenet-bias"}) {
    const ir::Graph graph = models::build(name, 1);
    Shape shape = graph.value(graph.inputs[0]).shape;
    shape[0] = 3;
    EXPECT_LT(difference_on(graph, random_tensor(shape, random)), kTolerance) << name;
  }
}

TEST(Forward, NamesTheNodeThatCannotBeTrained) {
  ir::Graph graph = one_node(ir::Relu{}, {3});
  const ir::ValueId scale = graph.add_constant("scale", Tensor::from<float>({}, std::vector{0.5F}));
  graph.outputs = {graph.add_node(ir::QuantizeLinear{}, {graph.outputs[0], scale}, "quantized")};
  const std::vector<Tensor> inputs{Tensor(DType::float32, {3})};
  EXPECT_THAT([&] { forward(graph, inputs); },
              ThrowsMessage<UnsupportedError>(HasSubstr("QuantizeLinear 'quantized'")));
}

TEST(Forward, RefusesInputsThatDoNotFit) {
  const ir::Graph graph = one_node(ir::Relu{}, {3});
  const std::vector<Tensor> inputs{Tensor(DType::float32, {4})};
  EXPECT_THROW(forward(graph, inputs), InputError);
}

}  // namespace
}  // namespace halftone::qat
