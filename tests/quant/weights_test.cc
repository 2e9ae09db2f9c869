// Weights and bias of one layer, and the rule that ties them. docs/arithmetic.md sections 3 and 5.
#include "halftone/quant/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "tests/quant/network.h"
#include "halftone/numeric/bias.h"
#include "tests/ir/tensors.h"

namespace halftone::quant {
namespace {

using numeric::Granularity;
using numeric::Scheme;
using testing::ElementsAre;
using testing::IsEmpty;

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

RC_GTEST_PROP(Weights, RealsAreWithinHalfAStep, ()) {
  const std::int64_t channels = 1 + choose(5), row = 1 + choose(9);
  const Tensor w = ir::random_floats({channels, row}, static_cast<std::uint64_t>(choose(1 << 30)));
  const numeric::WeightSpec spec{.format = {8, true, choose(2) == 0},
                                 .scheme = choose(2) == 0 ? Scheme::symmetric : Scheme::asymmetric,
                                 .power_of_two = choose(2) == 0,
                                 .granularity = choose(2) == 0 ? Granularity::tensor : Granularity::channel,
                                 .axis = choose(2)};
  const QuantizedWeights q = quantize_weights(w, {}, 1.0F, spec);
  const std::vector<std::int32_t> integers = numeric::to_int32(q.q);
  const auto index = numeric::affine_index(w.shape(), q.params);
  for (std::size_t i = 0; i < index.size(); ++i) {
    // s·(q − z) is exact in double. w / s is rounded to float32 before it is rounded to an integer, which
    // moves a tie by up to 255·2^−24 steps.
    const numeric::Affine affine = q.params.affine[static_cast<std::size_t>(index[i])];
    const double step = affine.scale;
    const double error = std::fabs(w.data<float>()[i] - step * (integers[i] - affine.zero_point));
    // Full-range symmetric clips +2^(b−1); asymmetric rounds the zero point as well.
    const bool clips = spec.scheme == Scheme::symmetric && !spec.format.narrow;
    RC_ASSERT(error <= step * ((clips || spec.scheme == Scheme::asymmetric ? 1.0 : 0.5) + 0x1p-16));
  }
}

RC_GTEST_PROP(Weights, EveryBiasFits2To30AndIsNearest, ()) {
  const std::int64_t channels = 1 + choose(5);
  Tensor w = ir::random_floats({channels, 4}, static_cast<std::uint64_t>(choose(1 << 30)));
  std::vector<float> bias;
  for (std::int64_t c = 0; c < channels; ++c) {
    const float small = std::ldexp(1.0F, -choose(40));
    for (std::int64_t k = 0; k < 4; ++k)
      w.mutable_data<float>()[static_cast<std::size_t>(c * 4 + k)] *= small;
    bias.push_back(std::ldexp(static_cast<float>(choose(2001) - 1000), choose(20)));
  }
  const float s_x = std::ldexp(1.0F + static_cast<float>(choose(1000)) * 0.001F, -choose(30));
  const numeric::WeightSpec spec{.power_of_two = choose(2) == 0,
                                 .granularity = choose(2) == 0 ? Granularity::tensor : Granularity::channel};
  const QuantizedWeights q = quantize_weights(w, bias, s_x, spec);
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const float s_w = q.params.affine[q.params.affine.size() == 1 ? 0 : c].scale;
    RC_ASSERT(std::llabs(q.bias[c]) <= numeric::kMaxBias);
    RC_ASSERT(std::fabs(static_cast<double>(q.bias[c]) - bias[c] / (double{s_x} * s_w)) <= 0.5 + 0x1p-22);
    RC_ASSERT(!spec.power_of_two || numeric::is_power_of_two(s_w));
  }
}

TEST(Weights, AChannelOfTinyWeightsAndALargeBiasHarmsNoOther) {
  Tensor w = ir::random_floats({3, 4}, 1);
  for (std::size_t k = 4; k < 8; ++k) w.mutable_data<float>()[k] = 1e-9F * (k % 2 == 0 ? 1.0F : -0.5F);
  const std::vector<float> bias{0.5F, 5.0F, -0.25F};
  const QuantizedWeights q = quantize_weights(w, bias, 0.01F, {});
  Tensor alone = w;
  for (std::size_t k = 4; k < 8; ++k) alone.mutable_data<float>()[k] = w.data<float>()[k - 4];
  const QuantizedWeights others = quantize_weights(alone, std::vector<float>{0.5F, 0.5F, -0.25F}, 0.01F, {});
  for (std::size_t c : {0u, 2u}) {
    EXPECT_EQ(q.params.affine[c], others.params.affine[c]);
    EXPECT_EQ(q.bias[c], others.bias[c]);
  }
  EXPECT_THAT(q.raised,
              IsEmpty());  // below 2^-20 of the layer's largest weight the channel takes the layer's scale
  EXPECT_NEAR(static_cast<double>(q.bias[1]) * 0.01 * q.params.affine[1].scale, 5.0, 1e-3);
}

TEST(Weights, AScaleIsRaisedToTheSmallestThatFits) {
  const Tensor w = ir::floats({2, 2}, {1e-3F, -5e-4F, 1.0F, 0.5F});
  const std::vector<float> bias{5e4F, 1.0F};
  for (bool power_of_two : {false, true}) {
    const float s_x = 1e-3F;
    const QuantizedWeights q = quantize_weights(w, bias, s_x, {.power_of_two = power_of_two});
    EXPECT_THAT(q.raised, ElementsAre(0));
    EXPECT_LE(std::llabs(q.bias[0]), numeric::kMaxBias);
    const float raised = q.params.affine[0].scale;
    const float less = power_of_two ? raised / 2 : std::nextafter(raised, 0.0F);
    EXPECT_GT(std::llabs(numeric::quantize_bias(bias[0], s_x, less)), numeric::kMaxBias);
    // The weights follow the new scale.
    EXPECT_EQ(numeric::to_int32(q.q)[0], static_cast<std::int32_t>(std::nearbyint(1e-3F / raised)));
  }
}

TEST(Weights, AtTensorGranularityTheWholeTensorIsRaised) {
  const Tensor w = ir::floats({2, 1}, {1e-3F, 5e-4F});
  const QuantizedWeights q =
      quantize_weights(w, std::vector<float>{1.0F, 5e4F}, 1e-3F, {.granularity = Granularity::tensor});
  EXPECT_THAT(q.raised, ElementsAre(1));
  EXPECT_EQ(q.params.affine.size(), 1u);
  EXPECT_EQ(q.bias[0], numeric::quantize_bias(1.0F, 1e-3F, q.params.affine[0].scale));
}

TEST(Weights, AnAsymmetricZeroPointIsDerivedAgainFromTheRaisedScale) {
  const Tensor w = ir::floats({1, 2}, {-1e-3F, 3e-3F});
  const numeric::WeightSpec spec{.format = {8, false, false}, .scheme = Scheme::asymmetric};
  const QuantizedWeights q = quantize_weights(w, std::vector<float>{5e4F}, 1e-3F, spec);
  ASSERT_THAT(q.raised, ElementsAre(0));
  const float s = q.params.affine[0].scale;
  EXPECT_EQ(q.params.affine[0].zero_point,
            static_cast<std::int32_t>(std::nearbyint(0.0 + 1e-3F / double{s})));
}

// A layer of two outputs, the second of weights `tiny` and a bias of 5.
ir::Graph network_with_a_tiny_channel(float tiny) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {1, 2});
  const ir::ValueId w = g.add_constant("w", ir::floats({2, 2}, {0.5F, -0.25F, tiny, -tiny}));
  const ir::ValueId b = g.add_constant("b", ir::floats({2}, {1.0F, 5.0F}));
  const ir::ValueId y = g.add_value("y", DType::float32, {1, 2});
  g.nodes.push_back({"g", ir::Gemm{.trans_b = true}, {x, w, b}, {y}});
  g.outputs = {y};
  return g;
}

TEST(Weights, BinaryAndTernaryChannelsNextToNothingDoNoHarm) {
  for (const auto code : {WeightCode::binary, WeightCode::ternary})
    for (const bool power_of_two : {false, true})
      for (const float tiny : {0.0F, 1e-9F}) {
        const ir::Graph g = network_with_a_tiny_channel(tiny);
        const float s_x = 1e-6F;
        const QuantizedWeights q = quantize_layer(g, g.nodes[0], {.code = code, .power_of_two = power_of_two}, s_x);
        const float alpha = q.params.affine[1].scale;
        EXPECT_THAT(q.raised, ElementsAre(1));
        EXPECT_EQ(q.params.affine[0].scale, code == WeightCode::ternary || power_of_two ? 0.5F : 0.375F);
        EXPECT_GT(alpha, 0x1p-20F);
        EXPECT_LE(std::llabs(q.bias[1]), numeric::kMaxBias);
        EXPECT_GT(std::fabs(5.0 / (double{s_x} * std::nextafter(alpha, 0.0F))), power_of_two ? 0x1p29 : 0x1p30 - 64);
        EXPECT_NEAR(static_cast<double>(q.bias[1]) * s_x * alpha, 5.0, 1e-6);
        const double most = 2 * 255 * double{s_x} * alpha;  // that the products add
        EXPECT_LT(most, 5.0 / 255 / 2);
        const QuantizedWeights usual = quantize_layer(g, g.nodes[0], {.code = code, .power_of_two = power_of_two}, 1.0F);
        EXPECT_THAT(usual.raised, IsEmpty());
        EXPECT_EQ(usual.params.affine[1].scale, usual.params.affine[0].scale * 0x1p-20F);
      }
}

// Weights of the linear layers of conv_network: r = q·2^−5, the nearest q in [−8, 7].
TEST(Weights, AFixedFractionLengthIsTheScale) {
  const ir::Graph g = conv_network();
  const ir::Node& conv = g.nodes[0];
  for (const auto granularity : {numeric::Granularity::tensor, numeric::Granularity::channel}) {
    const WeightRecipe recipe{.format = {4, true, false},
                              .granularity = granularity,
                              .range = WeightRange::fixed,
                              .fraction_length = 5};
    const QuantizedWeights quantized = quantize_layer(g, conv, recipe, std::nullopt);
    for (const numeric::Affine& affine : quantized.params.affine) EXPECT_EQ(affine, (numeric::Affine{0x1p-5F, 0}));
    const auto w = g.constant(conv.inputs[1])->data<float>();
    const auto q = numeric::to_int32(quantized.q);
    for (std::size_t i = 0; i < q.size(); ++i)
      EXPECT_EQ(q[i], std::clamp(std::nearbyint(w[i] * 32.0), -8.0, 7.0));
  }
}

TEST(Weights, NotFiniteWeightsAreRefused) {
  EXPECT_THROW(quantize_weights(ir::floats({1, 1}, {INFINITY}), {}, 1.0F, {}), InputError);
  EXPECT_THROW(quantize_weights(ir::floats({1, 1}, {NAN}), {}, 1.0F, {}), InputError);
}

}  // namespace
}  // namespace halftone::quant
