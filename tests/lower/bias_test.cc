// Biases as files bring them. docs/arithmetic.md section 5.
#include <gmock/gmock.h>

#include "tests/lower/qdq.h"

namespace halftone::qgraph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Grid kX{0.5F, 0, DType::int8};
constexpr Grid kY{0.25F, 0, DType::int8};

struct Layer : Qdq {
  ir::ValueId x = pair(input({kDynamic, 2}), kX, "q");
  ir::ValueId w = weights(int8s({3, 2}, {1, 2, 3, 4, 5, 6}), {0.5F, 0.25F, 1.0F}, {0, 0, 0}, 0, "w");
  QuantizedGraph with(ir::ValueId b) {
    return lowered(pair(node(ir::Gemm{.trans_b = true}, {x, w, b}, "layer"), kY, "y"));
  }
};

std::vector<std::int64_t> bias_of(const QuantizedGraph& graph) {
  const Node* node = find_node<Gemm>(graph);
  return node == nullptr ? std::vector<std::int64_t>{} : std::get<Gemm>(node->op).linear.bias;
}

TEST(Bias, IntegersAreTakenAsTheyAre) {
  Layer layer;
  EXPECT_THAT(bias_of(layer.with(layer.bias({INT32_MAX, -7, 0}, {0.25F, 0.125F, 0.5F}, "b"))),
              ElementsAre(INT32_MAX, -7, 0));
}

TEST(Bias, OneScaleServesEqualWeightScales) {
  Qdq g;
  const ir::ValueId w = g.weights(int8s({2, 2}, {1, 2, 3, 4}), {0.5F, 0.5F}, {0, 0}, 0, "w");
  const ir::ValueId y =
      g.node(ir::Gemm{.trans_b = true},
             {g.pair(g.input({kDynamic, 2}), kX, "q"), w, g.bias({1, 2}, {0.25F}, "b")}, "layer");
  EXPECT_THAT(bias_of(g.lowered(g.pair(y, kY, "y"))), ElementsAre(1, 2));
}

TEST(Bias, AnotherScaleIsRefusedByName) {
  for (float wrong : {0.126F, 0.0625F, 0.375F, 0x1p60F, 0x1p-3F * (1.0F + 0x1p-20F)}) {
    Layer layer;
    const std::string message = message_of<InputError>([&] {
      layer.with(layer.bias({1, 2, 3}, {0.25F, wrong, 0.5F}, "b"));
    });
    EXPECT_THAT(message, HasSubstr("layer"));
    EXPECT_THAT(message, HasSubstr("channel 1"));
  }
  Layer shared;
  EXPECT_THROW(shared.with(shared.bias({1, 2, 3}, {0.25F}, "b")), InputError);
}

// docs/arithmetic.md section 5: q_b·2^k is added where the scale is 2^k times s_x·s_w.
TEST(Bias, OfFewerBitsIsShiftedLeft) {
  for (DType dtype : {DType::int2, DType::int4, DType::int8, DType::int16, DType::int32}) {
    Layer layer;  // s_x·s_w: 1/4, 1/8, 1/2
    const std::int32_t q[] = {1, -2, 1};
    const ir::ValueId b = layer.weights(numeric::from_int32({3}, q, dtype), {0.25F, 0.5F, 0x1p30F}, {0, 0, 0}, 0, "b");
    EXPECT_THAT(bias_of(layer.with(b)), ElementsAre(1, -8, std::int64_t{1} << 31)) << name_of(dtype);
  }
}

TEST(Bias, AScaleRoundedToFloat32IsRight) {
  Qdq g;
  const Grid x{0.3F, 0, DType::int8};
  const ir::ValueId w = g.weights(int8s({1, 1}, {1}), {0.7F}, {0}, 0, "w");
  const ir::ValueId y =
      g.node(ir::Gemm{.trans_b = true},
             {g.pair(g.input({kDynamic, 1}), x, "q"), w, g.bias({5}, {0.3F * 0.7F}, "b")}, "layer");
  EXPECT_THAT(bias_of(g.lowered(g.pair(y, kY, "y"))), ElementsAre(5));
}

TEST(Bias, FloatsAreQuantizedHalfToEven) {
  Layer layer;  // s_x·s_w: 1/4, 1/8, 1/2
  const ir::ValueId b = layer.graph.add_constant("b", ir::floats({3}, {0.125F, 0.1875F, -1.26F}));
  EXPECT_THAT(bias_of(layer.with(b)), ElementsAre(0, 2, -3));
}

TEST(Bias, FloatsBeyond2To30AreRefusedByName) {
  Layer fits;
  const ir::ValueId b = fits.graph.add_constant("b", ir::floats({3}, {0x1p28F, -0x1p27F, 0x1p29F}));
  EXPECT_THAT(bias_of(fits.with(b)), ElementsAre(1 << 30, -(1 << 30), 1 << 30));
  Layer over;
  const ir::ValueId c = over.graph.add_constant("b", ir::floats({3}, {0.0F, 0x1.000002p27F, 0.0F}));
  const std::string message = message_of<InputError>([&] { over.with(c); });
  EXPECT_THAT(message, HasSubstr("layer"));
  EXPECT_THAT(message, HasSubstr("channel 1"));
}

TEST(Bias, OfAnotherTypeOrSizeMakesAnIsland) {
  Layer narrow;
  const std::int32_t q[] = {1, 2, 3};
  const ir::ValueId b =
      narrow.weights(numeric::from_int32({3}, q, DType::uint8), {0.25F, 0.125F, 0.5F}, {0, 0, 0}, 0, "b");
  EXPECT_FALSE(narrow.with(b).integer_only());
  Layer scalar;
  EXPECT_FALSE(scalar.with(scalar.graph.add_constant("b", ir::floats({1}, {1.0F}))).integer_only());
}

TEST(Bias, ThatIsComputedMakesAnIsland) {
  Layer floating;
  EXPECT_FALSE(floating.with(floating.input({3})).integer_only());
  Layer quantized;
  const ir::ValueId b = quantized.pair(quantized.input({3}), kY, "b");
  const QuantizedGraph graph = quantized.with(b);
  const Tensor inputs[] = {ir::floats({1, 2}, {1, 1}), ir::floats({3}, {8, 16, -8})};
  EXPECT_TRUE(Interpreter(graph).run(inputs).at(0) == ir::Interpreter(quantized.graph).run(inputs).at(0));
}

// C of shape [3, 1] adds a number to each row, not to each channel.
TEST(Bias, DownTheRowsIsNoBiasOfTheChannels) {
  for (bool real : {false, true}) {
    Qdq g;
    const ir::ValueId x = g.pair(g.input({3, 2}), kX, "q");
    const ir::ValueId w = g.weights(int8s({3, 2}, {1, 2, 3, 4, 5, 6}), {0.5F}, {0}, 0, "w");
    const Tensor q = Tensor::from<std::int32_t>({3, 1}, std::vector<std::int32_t>{4, 8, 12});
    const ir::ValueId b =
        real ? g.graph.add_constant("b", ir::floats({3, 1}, {1, 2, 3})) : g.weights(q, {0.25F}, {}, 0, "b");
    const QuantizedGraph graph =
        g.lowered(g.pair(g.node(ir::Gemm{.trans_b = true}, {x, w, b}, "layer"), kY, "y"));
    const Tensor in = ir::floats({3, 2}, {1, 0, 0, 1, 1, 1});
    EXPECT_TRUE(Interpreter(graph).run({&in, 1}).at(0) == ir::Interpreter(g.graph).run({&in, 1}).at(0))
        << real;
  }
}

TEST(Bias, AZeroPointOtherThanZeroIsRefused) {
  Layer layer;
  const Tensor q = Tensor::from<std::int32_t>({3}, std::vector<std::int32_t>{100, 100, 100});
  const ir::ValueId b = layer.weights(q, {0.25F, 0.125F, 0.5F}, {0, 50, 0}, 0, "b");
  EXPECT_THROW(layer.with(b), InputError);
}

}  // namespace
}  // namespace halftone::qgraph
