// Running graphs: what the visitor sees, what is refused, and many threads at once.
#include "halftone/ir/interpreter.h"

#include <gmock/gmock.h>

#include <thread>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::ElementsAre;

// y = relu(x + (c + c)), also giving x + ... as "sum".
Graph network() {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ValueId c = g.add_constant("c", floats({2}, {1, -10}));
  const ValueId twice = g.add_node(Add{}, {c, c}, "twice");
  const ValueId sum = g.add_node(Add{}, {x, twice}, "sum");
  g.outputs = {g.add_node(Relu{}, {sum}, "y"), sum};
  return g;
}

TEST(Interpreter, GivesEveryOutputInOrder) {
  const Tensor x = floats({1, 2}, {3, 4});
  const auto outputs = Interpreter(network()).run({&x, 1});
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_TRUE(outputs[0] == floats({1, 2}, {5, 0}));
  EXPECT_TRUE(outputs[1] == floats({1, 2}, {5, -16}));
}

TEST(Interpreter, VisitsInputsAndEveryComputedValueInOrder) {
  const Tensor x = floats({1, 2}, {3, 4});
  std::vector<std::string> names;
  Interpreter(network()).run({&x, 1}, [&](std::string_view name, Tensor&) { names.emplace_back(name); });
  EXPECT_THAT(names,
              ElementsAre("x", "sum", "y"));  // "twice" depends on constants alone: computed once, before
}

TEST(Interpreter, WhatTheVisitorPutsInPlaceIsWhatFollowsSees) {
  const Tensor x = floats({1, 2}, {3, 4});
  for (const char* replaced : {"x", "sum"}) {
    const auto outputs = Interpreter(network()).run({&x, 1}, [&](std::string_view name, Tensor& value) {
      if (name == replaced) value = floats({1, 2}, {100, 200});
    });
    const bool input = std::string_view(replaced) == "x";
    EXPECT_TRUE(outputs[0] == (input ? floats({1, 2}, {102, 180}) : floats({1, 2}, {100, 200}))) << replaced;
    EXPECT_TRUE(outputs[1] == outputs[0]);
  }
  EXPECT_TRUE(x == floats({1, 2}, {3, 4}));  // the caller's tensor stays
}

TEST(Interpreter, OutputsThatAreConstantsOrInputs) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {2});
  const ValueId c = g.add_constant("c", floats({1}, {7}));
  g.outputs = {x, c, g.add_node(Relu{}, {c}, "folded"), x};
  const Tensor in = floats({2}, {1, 2});
  const auto outputs = Interpreter(g).run({&in, 1});
  EXPECT_TRUE(outputs[0] == in);
  EXPECT_TRUE(outputs[1] == floats({1}, {7}));
  EXPECT_TRUE(outputs[2] == floats({1}, {7}));
  EXPECT_TRUE(outputs[3] == in);
}

TEST(Interpreter, InputsThatDoNotFitAreRefusedByName) {
  const Interpreter interpreter(network());
  const auto message = [&](const std::vector<Tensor>& inputs) -> std::string {
    try {
      interpreter.run(inputs);
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_THAT(message({Tensor(DType::float32, {1, 3})}), testing::HasSubstr("'x'"));
  EXPECT_THAT(message({Tensor(DType::float32, {2})}), testing::HasSubstr("'x'"));
  EXPECT_THAT(message({Tensor(DType::float64, {1, 2})}), testing::HasSubstr("'x'"));
  EXPECT_THAT(message({}), testing::HasSubstr("0 inputs, expected 1"));
  EXPECT_THAT(message({Tensor(DType::float32, {1, 2}), Tensor(DType::float32, {1, 2})}),
              testing::HasSubstr("2 inputs, expected 1"));
}

TEST(Interpreter, AnyBatchFitsASymbolicOneRowByRow) {
  const Interpreter interpreter(network());
  const Tensor x = random_floats({9, 2}, 1);
  const Tensor whole = interpreter.run({&x, 1}).at(0);
  for (std::int64_t n = 0; n < 9; ++n) {
    const Tensor row = x.rows(n, n + 1);
    EXPECT_TRUE(interpreter.run({&row, 1}).at(0) == whole.rows(n, n + 1));
  }
  const Tensor none(DType::float32, {0, 2});
  EXPECT_EQ(interpreter.run({&none, 1}).at(0).shape(), (Shape{0, 2}));
}

TEST(Interpreter, ErrorsOfANodeNameIt) {
  Graph g = OneNode().input({2}).constant(scalar_of(1)).with(QuantizeLinear{});
  const Tensor x = floats({2}, {1, NAN});
  try {
    Interpreter(g).run({&x, 1});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("QuantizeLinear 'y'"));
  }
}

TEST(Interpreter, OneInterpreterRunsOnManyThreads) {
  const Interpreter interpreter(network());
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const auto v = static_cast<float>(t);
      const Tensor x = floats({1, 2}, {v, 30 + v});
      for (int i = 0; i < 500; ++i) {
        int visited = 0;
        const auto outputs = interpreter.run({&x, 1}, [&](std::string_view, Tensor&) { ++visited; });
        wrong[t] += outputs[0] == floats({1, 2}, {v + 2, v + 10}) && visited == 3 ? 0 : 1;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, testing::Each(0));
}

TEST(Interpreter, AValueReadTwiceByOneNodeAndByLaterOnes) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {1});
  const ValueId a = g.add_node(Add{}, {x, x}, "a");
  const ValueId b = g.add_node(Add{}, {a, x}, "b");
  g.outputs = {g.add_node(Add{}, {b, a}, "c")};
  EXPECT_TRUE(run(g, {floats({1}, {1})}) == floats({1}, {5}));
}

}  // namespace
}  // namespace halftone::ir
