// Whole networks. Their numbers are small integers, whose sums float32 holds exactly in any order: the
// engine's results equal the interpreter's, whatever it fuses, folds and lays out anew.
#include <thread>

#include "halftone/base/error.h"
#include "tests/float_engine/compare.h"

namespace halftone::float_engine {
namespace {

using ir::Graph;
using ir::ValueId;

constexpr float kExact = 0x1p24F;  // integers up to here are float32 numbers

Tensor small_integers(Shape shape, std::uint64_t seed, int bound) {
  std::mt19937_64 random(seed);
  Tensor tensor(DType::float32, std::move(shape));
  for (float& x : tensor.mutable_data<float>())
    x = static_cast<float>(static_cast<int>(random() % static_cast<unsigned>(2 * bound + 1)) - bound);
  return tensor;
}

// Builds networks of layers that keep height and width, so that any two values can be joined.
class RandomNetwork {
 public:
  RandomNetwork() {
    const Shape shape{kDynamic, channels(), 1 + choose(9), 1 + choose(9)};
    values_ = {{graph_.add_input("x", DType::float32, shape), 3.0F}};
    const int layers = 2 + static_cast<int>(choose(12));
    for (int i = 0; i < layers; ++i) add_layer("v" + std::to_string(i));
    graph_.outputs = {values_.back().id};
    while (choose(3) == 0) graph_.outputs.push_back(any().id);
  }
  const Graph& graph() const { return graph_; }

 private:
  struct Bounded {
    ValueId id;
    float bound;  // on absolute values
  };

  static std::int64_t channels() { return *rc::gen::element<std::int64_t>(1, 2, 3, 8, 16, 17, 24, 32); }
  const Shape& shape(ValueId id) const { return graph_.value(id).shape; }
  const Bounded& any() {
    return values_[static_cast<std::size_t>(choose(static_cast<std::int64_t>(values_.size())))];
  }
  // Mostly the last one, so that chains come about.
  const Bounded& some() { return choose(3) == 0 ? any() : values_.back(); }

  void add(ir::Op op, std::vector<ValueId> inputs, const std::string& name, float bound) {
    const ValueId id = graph_.add_node(std::move(op), std::move(inputs), name);
    values_.push_back({id, bound});
    if (bound < kExact / 64) return;
    values_.push_back({graph_.add_node(ir::Clip{.lo = -4, .hi = 4}, {id}, name + "_clipped"), 4.0F});
  }

  void add_layer(const std::string& name) {
    switch (choose(9)) {
      case 0:
      case 1:
      case 2:
        return add_conv(name, some());
      case 3: {
        const Bounded x = some();
        return add(ir::Relu{}, {x.id}, name, x.bound);
      }
      case 4:
        return add(ir::Clip{.lo = -2, .hi = 6}, {some().id}, name, 6.0F);
      case 5:
        return add_sum(name, some());
      case 6:
        return add_norm(name, some());
      case 7:
        return add_concat(name, some(), any());
      default: {
        const Bounded x = some();
        return add(ir::MaxPool{.window = {.kernel = {3, 3}, .pads = {1, 1, 1, 1}}}, {x.id}, name, x.bound);
      }
    }
  }

  void add_conv(const std::string& name, Bounded x) {
    const std::int64_t in = shape(x.id)[1];
    if (static_cast<float>(in * 9) * x.bound > kExact / 2) return;
    const bool depthwise = choose(3) == 0;
    const std::int64_t out = depthwise ? in : choose(2) == 0 ? in : channels();
    const std::int64_t k = choose(2) == 0 ? 1 : 3;
    const std::int64_t depth = depthwise ? 1 : in;
    std::vector<ValueId> inputs{
        x.id, graph_.add_constant(name + "_w", small_integers({out, depth, k, k}, any_seed(), 1))};
    if (choose(2) == 0)
      inputs.push_back(graph_.add_constant(name + "_b", small_integers({out}, any_seed(), 3)));
    ir::Conv op{.groups = depthwise ? in : 1};
    if (k == 3) op.window.pads = {1, 1, 1, 1};
    add(op, inputs, name, static_cast<float>(depth * k * k) * x.bound + 3);
  }

  void add_sum(const std::string& name, Bounded x) {
    for (const Bounded& y : values_)
      if (shape(y.id) == shape(x.id) && choose(2) == 0)
        return add(ir::Add{}, choose(2) == 0 ? std::vector{x.id, y.id} : std::vector{y.id, x.id}, name,
                   x.bound + y.bound);
  }

  // γ/√σ² is a power of two.
  void add_norm(const std::string& name, Bounded x) {
    const std::int64_t c = shape(x.id)[1];
    const ValueId one =
        graph_.add_constant(name + "_v", ir::floats({c}, std::vector<float>(static_cast<std::size_t>(c), 4)));
    const ValueId two =
        graph_.add_constant(name + "_s", ir::floats({c}, std::vector<float>(static_cast<std::size_t>(c), 2)));
    const ValueId bias = graph_.add_constant(name + "_o", small_integers({c}, any_seed(), 3));
    const ValueId mean = graph_.add_constant(name + "_m", small_integers({c}, any_seed(), 3));
    add(ir::BatchNormalization{.epsilon = 0.0F}, {x.id, two, bias, mean, one}, name, x.bound + 6);
  }

  void add_concat(const std::string& name, Bounded x, Bounded y) {
    if (shape(x.id)[1] + shape(y.id)[1] > 80) return;
    add(ir::Concat{.axis = 1}, {x.id, y.id}, name, std::max(x.bound, y.bound));
  }

  Graph graph_;
  std::vector<Bounded> values_;
};

Tensor input_for(const Graph& graph, std::int64_t batch, std::uint64_t seed) {
  Shape shape = graph.value(graph.inputs[0]).shape;
  shape[0] = batch;
  return small_integers(shape, seed, 3);
}

using Values = std::vector<std::pair<std::string, Tensor>>;

Values values_of(const ir::Executor& executor, const Tensor& input, const std::string& replaced = "") {
  Values values;
  values.emplace_back("", executor
                              .run({&input, 1},
                                   [&](std::string_view name, Tensor& value) {
                                     if (name == replaced)
                                       for (float& v : value.mutable_data<float>()) v = 2 - v;
                                     values.emplace_back(name, value);
                                   })
                              .at(0));
  return values;
}

void assert_equal(const Values& ours, const Values& theirs) {
  RC_ASSERT(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    RC_ASSERT(ours[i].first == theirs[i].first);
    RC_ASSERT(equal(ours[i].second, theirs[i].second));
  }
}

RC_GTEST_PROP(Network, OfRandomLayersAtChangingBatchSizes, ()) {
  const RandomNetwork network;
  const auto ours = make_executor(network.graph());
  const ir::Interpreter theirs(network.graph());
  for (const std::int64_t batch : {2, 1, 3, 2}) {
    const Tensor input = input_for(network.graph(), batch, any_seed());
    const auto a = ours->run({&input, 1});
    const auto b = theirs.run({&input, 1});
    RC_ASSERT(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) RC_ASSERT(equal(a[i], b[i]));
  }
}

// The elements of each output: in row-major order where every one of its runs may be `named` so, otherwise ascending.
std::vector<std::vector<float>> watched(const ir::Executor& executor, const Tensor& input, std::vector<bool>& named) {
  std::vector<std::vector<float>> seen(named.size());
  executor.watch({&input, 1}, [&](const ir::Watched& value) {
    const std::optional<Tensor> tensor = ir::tensor_of(value);
    named.at(value.output) = named.at(value.output) && tensor.has_value();
    const auto elements = tensor ? std::span<const float>(tensor->data<float>()) : value.elements;
    seen.at(value.output).insert(seen.at(value.output).end(), elements.begin(), elements.end());
  });
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (!named[i]) std::ranges::sort(seen[i]);
  return seen;
}

RC_GTEST_PROP(Network, LetsEveryElementOfItsOutputsBeWatchedOnce, ()) {
  const RandomNetwork network;
  Graph graph = network.graph();
  for (const ir::Node& node : network.graph().nodes)
    if (choose(2) == 0) graph.outputs.push_back(node.outputs[0]);
  if (choose(4) == 0) graph.outputs.push_back(graph.inputs[0]);
  const auto ours = make_executor(graph);
  const ir::Interpreter theirs(graph);
  for (const std::int64_t batch : {2, 1, 2}) {
    const Tensor input = input_for(graph, batch, any_seed());
    std::vector<bool> named(graph.outputs.size(), true);
    const auto seen = watched(*ours, input, named);
    RC_ASSERT(seen == watched(theirs, input, named));
  }
}

RC_GTEST_PROP(Network, ShowsEveryValueAndTakesReplacements, ()) {
  const RandomNetwork network;
  const auto ours = make_executor(network.graph());
  const ir::Interpreter theirs(network.graph());
  const Tensor input = input_for(network.graph(), 2, any_seed());
  const Values plain = values_of(theirs, input);
  assert_equal(values_of(*ours, input), plain);
  const std::string replaced =
      plain[static_cast<std::size_t>(choose(static_cast<std::int64_t>(plain.size())))].first;
  assert_equal(values_of(*ours, input, replaced), values_of(theirs, input, replaced));
  assert_equal(values_of(*ours, input), plain);
}

// Two blocks with residuals and a head, with real numbers as weights.
Graph residual_network() {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 3, 13, 11});
  const auto conv = [&](ValueId from, Shape w, const std::string& name) {
    const ValueId weights = g.add_constant(name + "_w", ir::random_floats(w, 7));
    ir::Conv op{.window = {.pads = {1, 1, 1, 1}}};
    const ValueId y = g.add_node(op, {from, weights}, name);
    std::vector<ValueId> inputs{y};
    for (const char* part : {"_s", "_o", "_m", "_v"})
      inputs.push_back(g.add_constant(name + part, absolute(ir::random_floats({w[0]}, 5))));
    return g.add_node(ir::BatchNormalization{.epsilon = 1.0F}, inputs, name + "_bn");
  };
  const ValueId stem = g.add_node(ir::Relu{}, {conv(x, {17, 3, 3, 3}, "stem")}, "stem_relu");
  const ValueId inner = g.add_node(ir::Relu{}, {conv(stem, {17, 17, 3, 3}, "a")}, "a_relu");
  const ValueId sum = g.add_node(ir::Add{}, {stem, conv(inner, {17, 17, 3, 3}, "b")}, "sum");
  const ValueId out = g.add_node(ir::Relu{}, {sum}, "sum_relu");
  const ValueId pooled =
      g.add_node(ir::Flatten{}, {g.add_node(ir::GlobalAveragePool{}, {out}, "pool")}, "flat");
  const ValueId scores = g.add_node(
      ir::Gemm{.trans_b = true}, {pooled, g.add_constant("fc_w", ir::random_floats({10, 17}, 3))}, "scores");
  g.outputs = {g.add_node(ir::Softmax{}, {scores}, "y"), out};
  return g;
}

// All outputs of 8 different inputs, on so many threads; `shown` with a visitor.
std::vector<std::vector<Tensor>> run_all(const ir::Executor& executor, int threads, bool shown) {
  std::vector<std::vector<Tensor>> results(8);
  const auto work = [&](std::size_t first) {
    for (std::size_t i = first; i < results.size(); i += static_cast<std::size_t>(threads)) {
      const Tensor input = ir::random_floats({static_cast<std::int64_t>(1 + i % 3), 3, 13, 11}, i);
      results[i] = executor.run({&input, 1}, shown ? [](std::string_view, Tensor&) {} : ir::Visitor());
    }
  };
  std::vector<std::thread> started;
  for (int t = 1; t < threads; ++t) started.emplace_back(work, static_cast<std::size_t>(t));
  work(0);
  for (std::thread& thread : started) thread.join();
  return results;
}

TEST(Network, GivesTheSameBytesOnAnyNumberOfThreadsAndAgain) {
  for (const bool shown : {false, true}) {
    const auto executor = make_executor(residual_network());
    const auto alone = run_all(*executor, 1, shown);
    EXPECT_EQ(run_all(*executor, 1, shown), alone);
    EXPECT_EQ(run_all(*executor, 4, shown), alone);
    // All threads meet an executor that has compiled nothing yet.
    EXPECT_EQ(run_all(*make_executor(residual_network()), 4, shown), alone);
  }
}

TEST(Network, OutputsMayBeInputsConstantsAndNamedTwice) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ValueId c = g.add_constant("c", ir::floats({2}, {5, 6}));
  const ValueId y = g.add_node(ir::Relu{}, {x}, "y");
  g.outputs = {x, y, c, y};
  const Tensor input = ir::floats({1, 2}, {-1, 2});
  EXPECT_EQ(make_executor(g)->run({&input, 1}), ir::Interpreter(g).run({&input, 1}));
  std::vector<bool> named(4, true);
  EXPECT_EQ(watched(*make_executor(g), input, named), watched(ir::Interpreter(g), input, named));
}

TEST(Network, ASumThatReadsOneValueTwice) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 16, 4, 4});
  const ValueId w = g.add_constant("w", small_integers({16, 16, 1, 1}, 1, 1));
  const ValueId a = g.add_node(ir::Conv{}, {x, w}, "a");
  const ValueId b = g.add_node(ir::Add{}, {g.add_node(ir::Conv{}, {a, w}, "b"), a}, "a+b");
  g.outputs = {g.add_node(ir::Mul{}, {b, b}, "square")};
  const Tensor input = small_integers({2, 16, 4, 4}, 2, 3);
  EXPECT_TRUE(equal(fast(g, {input}), ir::run(g, {input})));
}

TEST(Network, WeightsReadInTwoOrientations) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 48});
  const ValueId w = g.add_constant("w", small_integers({48, 48}, 1, 3));
  const ValueId a = g.add_node(ir::Gemm{.trans_b = true}, {x, w}, "a");
  const ValueId b = g.add_node(ir::Gemm{}, {x, w}, "b");
  g.outputs = {g.add_node(ir::Sub{}, {a, b}, "y")};
  const Tensor input = small_integers({3, 48}, 2, 3);
  EXPECT_TRUE(equal(fast(g, {input}), ir::run(g, {input})));
}

// The shape is another, the bytes are the same: neither may be overwritten while the other is to be read.
TEST(Network, ARenamedValueIsNotOverwritten) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {2, 4, 6, 6});
  const ValueId w = g.add_constant("w", small_integers({4, 4, 1, 1}, 1, 1));
  const ValueId a = g.add_node(ir::Relu{}, {g.add_node(ir::Conv{}, {x, w}, "conv")}, "a");
  const ValueId b = g.add_node(ir::Reshape{}, {a, g.add_constant("shape", ir::int64s({2, 4, 4, 9}))}, "b");
  const ValueId c = g.add_node(ir::Add{}, {g.add_node(ir::Conv{}, {b, w}, "conv2"), b}, "c");
  g.outputs = {c, g.add_node(ir::Neg{}, {a}, "d")};
  const Tensor input = small_integers({2, 4, 6, 6}, 2, 3);
  const auto ours = make_executor(g)->run({&input, 1});
  const auto theirs = ir::Interpreter(g).run({&input, 1});
  EXPECT_TRUE(equal(ours[0], theirs[0]) && equal(ours[1], theirs[1]));
}

TEST(Network, OpsWithoutAPrimitiveStandBetweenOthers) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 3, 5, 5});
  const ValueId w = g.add_constant("w", small_integers({16, 3, 3, 3}, 1, 1));
  const ValueId a = g.add_node(ir::Conv{}, {x, w}, "a");
  const ValueId slope = g.add_constant("slope", ir::floats({16, 1, 1}, std::vector<float>(16, 0.5F)));
  const ValueId b = g.add_node(ir::PRelu{}, {a, slope}, "b");
  const ValueId shape = g.add_constant("shape", ir::int64s({0, -1}));
  const ValueId c = g.add_node(ir::Reshape{}, {b, shape}, "c");
  g.outputs = {
      g.add_node(ir::Gemm{.trans_b = true}, {c, g.add_constant("fc", small_integers({4, 144}, 3, 1))}, "y")};
  for (const std::int64_t batch : {1, 2}) {
    const Tensor input = small_integers({batch, 3, 5, 5}, 2, 3);
    EXPECT_TRUE(equal(fast(g, {input}), ir::run(g, {input})));
  }
}

TEST(Network, RefusesInputsThatDoNotFit) {
  const auto executor = make_executor(residual_network());
  const Tensor wrong(DType::float32, {1, 3, 13, 12});
  EXPECT_THROW(executor->run({&wrong, 1}), InputError);
  EXPECT_THROW(executor->run({}), InputError);
}

TEST(Network, AReplacementOfAnotherShapeIsRefused) {
  const auto executor = make_executor(residual_network());
  const Tensor input(DType::float32, {1, 3, 13, 11});
  EXPECT_THROW(executor->run({&input, 1}, [](std::string_view, Tensor& value) { value = Tensor(); }),
               InputError);
}

TEST(Network, AVisitorsErrorPassesAndTheNextRunWorks) {
  const auto executor = make_executor(residual_network());
  const Tensor input = ir::random_floats({1, 3, 13, 11}, 1);
  const auto refuse = [](std::string_view name, Tensor&) {
    if (name == "sum") throw InputError("test", "no");
  };
  const auto before = executor->run({&input, 1});
  EXPECT_THROW(executor->run({&input, 1}, refuse), InputError);
  EXPECT_EQ(executor->run({&input, 1}), before);
}

}  // namespace
}  // namespace halftone::float_engine
