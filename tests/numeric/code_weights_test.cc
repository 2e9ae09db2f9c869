#include "halftone/numeric/code_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cfloat>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

Tensor tensor_of(Shape shape, const std::vector<float>& values) {
  return Tensor::from<float>(std::move(shape), values);
}

CodedWeights code_tensor(const std::vector<float>& values, Code code, bool power_of_two = false) {
  return code_weights(tensor_of({static_cast<std::int64_t>(values.size())}, values), code,
                      Granularity::tensor, -1, power_of_two);
}

std::vector<float> scales(const CodedWeights& coded) {
  std::vector<float> result;
  for (const Affine& affine : coded.params.affine) {
    EXPECT_EQ(affine.zero_point, 0);
    result.push_back(affine.scale);
  }
  return result;
}

TEST(Binary, AlphaIsTheMeanMagnitudeAndZeroIsPlus) {
  const CodedWeights coded = code_tensor({1, -2, 3, -4, 0, -0.0F}, Code::binary);
  EXPECT_THAT(scales(coded), ElementsAre(10.0F / 6));
  EXPECT_THAT(to_int32(coded.integers), ElementsAre(1, -1, 1, -1, 1, 1));
  EXPECT_EQ(coded.integers.dtype(), DType::int8);
  EXPECT_EQ(coded.params.format, (IntegerFormat{2, true, true}));
}

TEST(Ternary, DropsWhatIsNotAbove7TenthsOfTheMean) {
  // Mean 2.5, Δ = 1.75, α = (2 + 3 + 4)/3.
  const CodedWeights coded = code_tensor({1, -2, 3, -4}, Code::ternary);
  EXPECT_THAT(scales(coded), ElementsAre(3.0F));
  EXPECT_THAT(to_int32(coded.integers), ElementsAre(0, -1, 1, -1));
}

TEST(Ternary, TheThresholdItselfIsZero) {
  // Mean 10, Δ = 7.
  EXPECT_THAT(to_int32(code_tensor({7, -13}, Code::ternary).integers), ElementsAre(0, -1));
  EXPECT_THAT(scales(code_tensor({7, -13}, Code::ternary)), ElementsAre(13.0F));
  EXPECT_THAT(to_int32(code_tensor({-7, 7, 13, 13}, Code::ternary).integers), ElementsAre(0, 0, 1, 1));
}

TEST(CodeWeights, ByChannelOfAxisZeroAndOne) {
  const Tensor weights = tensor_of({2, 3}, {1, -2, 3, -10, 20, -60});
  const CodedWeights rows = code_weights(weights, Code::binary, Granularity::channel, 0);
  EXPECT_THAT(scales(rows), ElementsAre(2.0F, 30.0F));
  EXPECT_EQ(rows.integers.shape(), weights.shape());
  EXPECT_THAT(scales(code_weights(weights, Code::binary, Granularity::channel, 1)),
              ElementsAre(5.5F, 11.0F, 31.5F));
  // Row 0: Δ = 1.4; row 1: Δ = 21.
  const CodedWeights ternary = code_weights(weights, Code::ternary, Granularity::channel, 0);
  EXPECT_THAT(scales(ternary), ElementsAre(2.5F, 60.0F));
  EXPECT_THAT(to_int32(ternary.integers), ElementsAre(0, -1, 1, 0, 0, -1));
}

TEST(CodeWeights, SumsAreInDouble) {
  // 2^24 + 1 + 1 stays 2^24 in float32.
  EXPECT_THAT(scales(code_tensor({16777216, 1, 1}, Code::binary)), ElementsAre(5592406.0F));
  EXPECT_THAT(scales(code_tensor({3e38F, 3e38F, 3e38F}, Code::binary)), ElementsAre(3e38F));
}

TEST(CodeWeights, APowerOfTwoScaleIsRoundedUp) {
  EXPECT_THAT(scales(code_tensor({1, -2, 3, -4}, Code::binary, true)), ElementsAre(4.0F));
  EXPECT_THAT(scales(code_tensor({2, -2}, Code::binary, true)), ElementsAre(2.0F));
  EXPECT_THAT(scales(code_tensor({1, -2, 3, -4}, Code::ternary, true)), ElementsAre(4.0F));
}

TEST(CodeWeights, WhereNothingIsLeftAlphaIsNextToNothing) {
  for (Code code : {Code::binary, Code::ternary}) {
    EXPECT_THAT(scales(code_tensor({0, 0}, code)), ElementsAre(0x1p-20F));
    EXPECT_THAT(scales(code_tensor({}, code)), ElementsAre(0x1p-20F));
    EXPECT_THAT(scales(code_weights(tensor_of({3, 1}, {0, 3, 1e-9F}), code, Granularity::channel, 0)),
                ElementsAre(0x3p-20F, 3.0F, 0x3p-20F));
    EXPECT_THAT(scales(code_weights(tensor_of({2, 1}, {0, 3}), code, Granularity::channel, 0, true)),
                ElementsAre(0x4p-20F, 4.0F));
  }
  EXPECT_THAT(to_int32(code_tensor({0, -0.0F}, Code::ternary).integers), ElementsAre(0, 0));
}

TEST(CodeWeights, ScalesAreNormalFloats) {
  for (Code code : {Code::binary, Code::ternary})
    for (bool power_of_two : {false, true})
      EXPECT_THAT(scales(code_tensor({1e-44F, -1e-44F}, code, power_of_two)), ElementsAre(FLT_MIN));
}

RC_GTEST_PROP(CodeWeights, BinaryAlphaHasTheLeastSquaredErrorOfNearbyScales, ()) {
  const auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<float>>(float_of_exponent(-3, 3)));
  const CodedWeights coded = code_tensor(values, Code::binary);
  const std::vector<std::int32_t> q = to_int32(coded.integers);
  const auto error = [&](double alpha) {
    double sum = 0;
    for (std::size_t i = 0; i < q.size(); ++i)
      sum += std::pow(static_cast<double>(values[i]) - alpha * q[i], 2);
    return sum;
  };
  const double alpha = coded.params.tensor().scale;
  RC_ASSERT(error(alpha) <= error(alpha * 1.01));
  RC_ASSERT(error(alpha) <= error(alpha * 0.99));
}

TEST(CodeWeights, RefusesGroupsAndWhatIsNotFinite) {
  EXPECT_THROW(code_weights(tensor_of({2}, {1, 2}), Code::binary, Granularity::group, 0), InputError);
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity()})
    for (Code code : {Code::binary, Code::ternary})
      EXPECT_THROW(code_tensor({1, bad}, code), InputError) << bad;
}

TEST(CodeWeights, RefusesAnAxisOutsideTheShapeAsParamsFromWeightsDoes) {
  const Tensor weights = tensor_of({2, 2}, {1, 2, 3, 4});
  for (int axis : {-1, 2}) {
    EXPECT_THROW(params_from_weights(weights, {.axis = axis}), InputError);
    EXPECT_THROW(code_weights(weights, Code::binary, Granularity::channel, axis), InputError);
  }
}

}  // namespace
}  // namespace halftone::numeric
