// Running integers: batches, the visitor, work.
#include "tests/lower/network.h"

namespace halftone::qgraph {
namespace {

using testing::HasSubstr;

TEST(Interpreter, WorkIsCountedForOneSample) {
  Network g;
  const ir::ValueId x = g.pair(g.input({kDynamic, 2, 5, 5}), kHalf, "q");
  const ir::ValueId w = g.weights(Tensor(DType::int8, {4, 1, 3, 3}), {0.5F}, {0}, 0, "w");
  const ir::ValueId conv =
      g.pair(g.node(ir::Conv{{.strides = {2, 2}, .pads = {1, 1, 1, 1}}, 2}, {x, w}, "conv"), kHalf, "c");
  const ir::ValueId flat = g.node(ir::Flatten{}, {conv}, "flat");
  const ir::ValueId v = g.weights(Tensor(DType::int8, {36, 7}), {0.5F}, {0}, 1, "v");
  const ir::ValueId y = g.pair(g.node(ir::Gemm{}, {flat, v}, "gemm"), kHalf, "y");
  const ir::ValueId u = g.graph.add_constant("u", Tensor(DType::float32, {7, 3}));
  const Work work = count_work(g.lowered(g.node(ir::MatMul{}, {y, u}, "float")));
  EXPECT_EQ(work.integer_macs, 4 * 3 * 3 * 9 + 36 * 7);
  EXPECT_EQ(work.float_macs, 7 * 3);
  EXPECT_EQ(work.integer_nodes, 3);
  EXPECT_EQ(work.float_nodes, 1);
}

TEST(Interpreter, AnyBatchRuns) {
  Network g;
  const QuantizedGraph quantized = g.lowered(g.pair(g.gemm(g.start(), "gemm"), kQuarter, "y"));
  for (std::int64_t batch : {0, 1, 2, 7, 8, 9}) {
    const Tensor x = ir::random_floats({batch, 2}, 1);
    const Tensor y = Interpreter(quantized).run({&x, 1}).at(0);
    EXPECT_EQ(y.shape(), (Shape{batch, 2}));
    for (std::int64_t n = 0; n < batch; ++n) {
      const Tensor row = x.rows(n, n + 1);
      EXPECT_TRUE(Interpreter(quantized).run({&row, 1}).at(0) == y.rows(n, n + 1));
    }
  }
}

TEST(Interpreter, TheVisitorMayReplaceIntegers) {
  Network g;
  const QuantizedGraph quantized = g.lowered(g.pair(g.gemm(g.start(), "gemm"), kQuarter, "y"));
  const Tensor x = ir::random_floats({1, 2}, 1);
  const Tensor y = Interpreter(quantized)
                       .run({&x, 1},
                            [](std::string_view name, Tensor& value) {
                              if (name == "q") value = int8s({1, 2}, {1, 0});
                            })
                       .at(0);
  // 0.5·1·(0.5·1), 0.5·1·(0.5·3) on the grid of quarters.
  EXPECT_TRUE(y == ir::floats({1, 2}, {0.25F, 0.75F}));
}

TEST(Interpreter, NotANumberAtTheBoundaryIsAnError) {
  Network g;
  const QuantizedGraph quantized = g.lowered(g.pair(g.gemm(g.start(), "gemm"), kQuarter, "y"));
  const Tensor x = ir::floats({1, 2}, {0.0F, NAN});
  EXPECT_THAT(message_of<InputError>([&] { Interpreter(quantized).run({&x, 1}); }), HasSubstr("q"));
}

}  // namespace
}  // namespace halftone::qgraph
