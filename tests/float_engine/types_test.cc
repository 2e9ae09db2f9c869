// Networks of every floating-point type, and what becomes of NaN.
#include <gmock/gmock.h>

#include "halftone/base/error.h"
#include "tests/float_engine/compare.h"

namespace halftone::float_engine {
namespace {

using ir::Graph;
using ir::ValueId;
using testing::HasSubstr;

// x -> Conv -> Relu -> MaxPool -> Conv of one type; the numbers are integers that all types hold.
Graph network(DType dtype) {
  Graph g;
  const auto constant = [&](const std::string& name, Shape shape, std::uint64_t seed) {
    Tensor values = ir::random_floats(std::move(shape), seed);
    for (float& v : values.mutable_data<float>()) v = std::round(v / 4.0F);
    return g.add_constant(name, values.cast(dtype));
  };
  const ValueId x = g.add_input("x", dtype, {kDynamic, 2, 5, 5});
  const ir::Conv conv{.window = {.kernel = {3, 3}, .pads = {1, 1, 1, 1}}};
  const ValueId a = g.add_node(conv, {x, constant("w1", {3, 2, 3, 3}, 1), constant("b1", {3}, 2)}, "a");
  const ValueId r = g.add_node(ir::Relu{}, {a}, "r");
  const ValueId p = g.add_node(ir::MaxPool{{.kernel = {2, 2}}}, {r}, "p");
  g.outputs = {g.add_node(conv, {p, constant("w2", {2, 3, 3, 3}, 3)}, "y"), r};
  return g;
}

Tensor integers(Shape shape, DType dtype) {
  Tensor values = ir::random_floats(std::move(shape), 7);
  for (float& v : values.mutable_data<float>()) v = std::round(v / 2.0F);
  return values.cast(dtype);
}

TEST(Types, InputsAndOutputsAreOfTheDeclaredOnes) {
  for (DType dtype : {DType::float32, DType::float16, DType::float64, DType::bfloat16}) {
    const Graph g = network(dtype);
    const Tensor x = integers({3, 2, 5, 5}, dtype);
    const auto engine = make_executor(g);
    const std::vector<Tensor> expected = ir::Interpreter(g).run({&x, 1});
    const std::vector<Tensor> found = engine->run({&x, 1});
    ASSERT_EQ(found.size(), 2u);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].dtype(), dtype);
      // bfloat16 rounds between nodes, which the engine does not.
      if (dtype != DType::bfloat16) {
        EXPECT_TRUE(equal(found[i].cast(DType::float32), expected[i].cast(DType::float32))) << name_of(dtype);
      }
    }
    std::map<std::string, DType> seen;
    engine->run({&x, 1}, [&](std::string_view name, Tensor& value) { seen.emplace(name, value.dtype()); });
    for (const char* name : {"x", "a", "r", "p", "y"}) EXPECT_EQ(seen.at(name), dtype) << name;
  }
}

TEST(Types, InputsOfAnotherTypeAreRefused) {
  const auto engine = make_executor(network(DType::float16));
  const Tensor x = integers({3, 2, 5, 5}, DType::float32);
  EXPECT_THROW(engine->run({&x, 1}), InputError);
  EXPECT_THROW(engine->watch({&x, 1}, [](const ir::Watched&) {}), InputError);
}

TEST(Types, WatchedOutputsAreFloat32) {
  const Graph g = network(DType::float16);
  const Tensor x = integers({3, 2, 5, 5}, DType::float16);
  const Tensor expected = ir::Interpreter(g).run({&x, 1}).at(1).cast(DType::float32);
  double sum = 0.0;
  std::size_t count = 0;
  make_executor(g)->watch({&x, 1}, [&](const ir::Watched& value) {
    if (value.output != 1) return;
    count += value.elements.size();
    for (float v : value.elements) sum += v;
  });
  double all = 0.0;
  for (float v : expected.data<float>()) all += v;
  EXPECT_EQ(count, expected.data<float>().size());
  EXPECT_EQ(sum, all);
}

// The NaN that `op` makes of x stands before one that oneDNN's activations and pooling make numbers of.
Graph hiding(ir::Op op, std::optional<Tensor> second, ir::Op hider) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 4, 4});
  std::vector<ValueId> inputs{x};
  if (second) inputs.push_back(g.add_constant("k", *second));
  const ValueId d = g.add_node(std::move(op), inputs, "d");
  const ValueId h = g.add_node(std::move(hider), {d}, "h");
  g.outputs = {g.add_node(ir::Flatten{}, {h}, "y")};
  return g;
}

std::string refusal(const Graph& g, const Tensor& x) {
  try {
    make_executor(g)->run({&x, 1});
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// In plain loops a NaN stays one.
bool is_plain() {
  return dynamic_cast<const ir::Interpreter*>(make_executor(network(DType::float32)).get()) != nullptr;
}

TEST(NotANumber, BeforeAnActivationOrPoolingIsRefused) {
  if (is_plain()) GTEST_SKIP() << "a build without oneDNN";
  const std::vector<ir::Op> hiders{ir::Relu{}, ir::Clip{.lo = 0, .hi = 6}, ir::HardSigmoid{}, ir::HardSwish{},
                                   ir::MaxPool{{.kernel = {2, 2}}}, ir::GlobalMaxPool{}, ir::Sigmoid{}, ir::Tanh{}};
  for (const ir::Op& hider : hiders) {
    Tensor x(DType::float32, {3, 2, 4, 4});
    for (float& v : x.mutable_data<float>()) v = 2.0F;
    EXPECT_EQ(refusal(hiding(ir::Sqrt{}, {}, hider), x), "") << ir::name_of(hider);
    EXPECT_EQ(refusal(hiding(ir::Log{}, {}, hider), x), "") << ir::name_of(hider);
    x.mutable_data<float>()[2 * 32 + 5] = -1.0F;
    for (const ir::Op& op : std::vector<ir::Op>{ir::Sqrt{}, ir::Log{}})
      EXPECT_THAT(refusal(hiding(op, {}, hider), x), HasSubstr("'d'")) << ir::name_of(hider);
    // 0·∞, in a sum that is one primitive with what hides it.
    const Graph conv = hiding(ir::Conv{.window = {.kernel = {1, 1}}}, ir::floats({2, 2, 1, 1}, {0, 1, 1, 1}), hider);
    EXPECT_EQ(refusal(conv, Tensor(DType::float32, {1, 2, 4, 4})), "") << ir::name_of(hider);
    Tensor infinite(DType::float32, {2, 2, 4, 4});
    infinite.mutable_data<float>()[32] = INFINITY;
    EXPECT_THAT(refusal(conv, infinite), testing::AllOf(HasSubstr("'d'"), HasSubstr("row 1"))) << ir::name_of(hider);
  }
}

TEST(NotANumber, InAnInputIsRefusedByName) {
  if (is_plain()) GTEST_SKIP() << "a build without oneDNN";
  const Graph g = network(DType::float32);
  Tensor x = integers({3, 2, 5, 5}, DType::float32);
  x.mutable_data<float>()[2 * 50 + 7] = NAN;
  EXPECT_THAT(refusal(g, x), HasSubstr("input 'x', element 7 of row 2"));
  EXPECT_THROW(make_executor(g)->watch({&x, 1}, [](const ir::Watched&) {}), InputError);
}

// Infinity that is no NaN is computed with.
TEST(NotANumber, IsNotInfinity) {
  Tensor x(DType::float32, {1, 2, 4, 4});
  for (float& v : x.mutable_data<float>()) v = -INFINITY;
  const Graph g = hiding(ir::Add{}, ir::scalar_of(1.0F), ir::Relu{});
  EXPECT_EQ(refusal(g, x), "");
  EXPECT_TRUE(equal(fast(g, {x}), Tensor(DType::float32, {1, 32})));
}

}  // namespace
}  // namespace halftone::float_engine
