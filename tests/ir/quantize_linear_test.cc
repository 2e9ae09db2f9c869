// QuantizeLinear and DequantizeLinear are docs/arithmetic.md section 3.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::ElementsAre;

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

Tensor int8s(Shape shape, const std::vector<std::int8_t>& values) {
  return Tensor::from<std::int8_t>(std::move(shape), values);
}

TEST(QuantizeLinear, TiesToEvenThenTheZeroPointThenSaturation) {
  const Tensor x = floats({8}, {0.25F, 0.75F, -0.25F, -0.75F, 1e9F, -1e9F, INFINITY, -INFINITY});
  const Tensor y = apply_op(QuantizeLinear{}, {x, scalar_of(0.5F), int8s({}, {1})});
  EXPECT_THAT(values_of<std::int8_t>(y), ElementsAre(1, 3, 1, -1, 127, -128, 127, -128));
}

TEST(QuantizeLinear, WithoutAZeroPointIsUint8) {
  const Tensor y = apply_op(QuantizeLinear{}, {floats({3}, {-1, 3, 300}), scalar_of(1)});
  EXPECT_THAT(values_of<std::uint8_t>(y), ElementsAre(0, 3, 255));
}

TEST(QuantizeLinear, FewerBitsThanTheTypeSaturateEarlier) {
  const Tensor x = floats({5}, {-100, -3, 0, 3, 100});
  const Tensor y = apply_op(QuantizeLinear{.bits = 3}, {x, scalar_of(1), int8s({}, {1})});
  EXPECT_THAT(values_of<std::int8_t>(y), ElementsAre(-4, -2, 1, 3, 3));
  EXPECT_THROW(apply_op(QuantizeLinear{.bits = 9}, {x, scalar_of(1), int8s({}, {1})}), InputError);
}

TEST(QuantizeLinear, TiesGoWhereTheRoundingSays) {
  const Tensor x = floats({4}, {0.5F, 1.5F, -0.5F, -1.5F});
  const auto rounded = [&](numeric::Rounding rounding) {
    return values_of<std::int8_t>(apply_op(QuantizeLinear{.rounding = rounding}, {x, scalar_of(1), int8s({}, {0})}));
  };
  EXPECT_THAT(rounded(numeric::Rounding::half_even), ElementsAre(0, 2, 0, -2));
  EXPECT_THAT(rounded(numeric::Rounding::half_away), ElementsAre(1, 2, -1, -2));
  EXPECT_THAT(rounded(numeric::Rounding::half_up), ElementsAre(1, 2, 0, -1));
  EXPECT_THAT(rounded(numeric::Rounding::floor), ElementsAre(0, 1, -1, -2));
}

TEST(QuantizeLinear, NotANumberIsAnError) {
  EXPECT_THROW(apply_op(QuantizeLinear{}, {scalar_of(NAN), scalar_of(1)}), InputError);
}

RC_GTEST_PROP(QuantizeLinear, EachIndexOfTheAxisHasItsOwnScale, ()) {
  const Shape shape{1 + choose(3), 1 + choose(4), 1 + choose(3)};
  const int axis = choose(3);
  const auto channels = static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]);
  std::vector<float> scales;
  std::vector<std::int8_t> zeros;
  for (std::size_t c = 0; c < channels; ++c) {
    scales.push_back(0.01F * static_cast<float>(1 + choose(50)));
    zeros.push_back(static_cast<std::int8_t>(choose(256) - 128));
  }
  const Tensor x = random_floats(shape, static_cast<std::uint64_t>(choose(1 << 30)));
  const std::vector<Tensor> operands{x, floats({static_cast<std::int64_t>(channels)}, scales),
                                     int8s({static_cast<std::int64_t>(channels)}, zeros)};
  const std::int64_t given = choose(2) == 0 ? axis : axis - 3;
  const Tensor q = apply_op(QuantizeLinear{given}, operands);
  const Tensor r = apply_op(DequantizeLinear{given}, {q, operands[1], operands[2]});
  const std::int64_t inner = product(shape, static_cast<std::size_t>(axis) + 1, 3);
  for (std::int64_t i = 0; i < q.size(); ++i) {
    const auto c = static_cast<std::size_t>(i / inner) % channels;
    const float ratio = x.data<float>()[static_cast<std::size_t>(i)] / scales[c];
    const double expected = std::clamp(std::nearbyint(double{ratio}) + zeros[c], -128.0, 127.0);
    const int got = q.data<std::int8_t>()[static_cast<std::size_t>(i)];
    RC_ASSERT(got == static_cast<int>(expected));
    RC_ASSERT(r.data<float>()[static_cast<std::size_t>(i)] == scales[c] * static_cast<float>(got - zeros[c]));
  }
}

TEST(DequantizeLinear, EveryType) {
  EXPECT_THAT(values_of<float>(apply_op(
                  DequantizeLinear{},
                  {Tensor::from<std::uint16_t>({2}, std::vector<std::uint16_t>{0, 65535}), scalar_of(0.5F),
                   Tensor::from<std::uint16_t>({}, std::vector<std::uint16_t>{65535})})),
              ElementsAre(-32767.5F, 0));
  EXPECT_THAT(
      values_of<float>(apply_op(
          DequantizeLinear{},
          {Tensor::from<std::int32_t>({2}, std::vector<std::int32_t>{INT32_MIN, 3}), scalar_of(0.5F)})),
      ElementsAre(-0x1p30F, 1.5F));
  EXPECT_THAT(values_of<float>(apply_op(DequantizeLinear{}, {int8s({2}, {-128, 127}), scalar_of(2)})),
              ElementsAre(-256, 254));
}

TEST(DequantizeLinear, OfInt32HasNoZeroPointButZero) {
  const Tensor q = Tensor::from<std::int32_t>({1}, std::vector<std::int32_t>{INT32_MIN});
  EXPECT_NO_THROW(apply_op(DequantizeLinear{}, {q, scalar_of(1), Tensor(DType::int32, {})}));
  EXPECT_THROW(apply_op(DequantizeLinear{},
                        {q, scalar_of(1), Tensor::from<std::int32_t>({}, std::vector<std::int32_t>{1})}),
               InputError);
}

TEST(QuantizeLinear, ScalesThatAreNoNormalNumbersAboveZeroAreRefused) {
  for (float scale : {0.0F, -1.0F, 1e-40F, INFINITY, NAN}) {
    EXPECT_THROW(apply_op(QuantizeLinear{}, {scalar_of(1), scalar_of(scale)}), InputError) << scale;
    EXPECT_THROW(apply_op(DequantizeLinear{}, {int8s({}, {1}), scalar_of(scale)}), InputError) << scale;
  }
}

TEST(QuantizeLinear, ShapesAndTypesThatDoNotAgreeAreRefused) {
  EXPECT_THROW(OneNode().input({2, 3}).input({2}).with(QuantizeLinear{1}), InputError);
  EXPECT_THROW(OneNode().input({2, 3}).input({1, 3}).with(QuantizeLinear{1}), InputError);
  EXPECT_THROW(OneNode().input({2, 3}).input({3}).with(QuantizeLinear{2}), InputError);
  EXPECT_THROW(OneNode().input({2}).input({}).input({}, DType::int32).with(QuantizeLinear{}),
               UnsupportedError);
  EXPECT_THROW(OneNode().input({2}).input({}).input({}).with(QuantizeLinear{}), UnsupportedError);
  EXPECT_THROW(OneNode().input({2}, DType::int8).input({}).with(QuantizeLinear{}), InputError);
  EXPECT_THROW(OneNode().input({4, 2}).input({2, 1}).with(QuantizeLinear{.axis = 0, .block_size = 2}),
               InputError);
  EXPECT_NO_THROW(OneNode().input({3, 2}).input({2, 2}).with(QuantizeLinear{.axis = 0, .block_size = 2}));
  EXPECT_THROW(OneNode().input({2}, DType::int8).input({}).input({}, DType::uint8).with(DequantizeLinear{}),
               InputError);
  EXPECT_THROW(OneNode().input({2}, DType::int64).input({}).with(DequantizeLinear{}), UnsupportedError);
  EXPECT_THROW(OneNode().input({2}).input({}).with(DequantizeLinear{}), UnsupportedError);
  EXPECT_THROW(apply_op(QuantizeLinear{},
                        {floats({2, 3}, {1, 2, 3, 4, 5, 6}), floats({3}, {1, 1, 1}), int8s({2}, {0, 0})}),
               InputError);
}

}  // namespace
}  // namespace halftone::ir
