#include "halftone/numeric/codebook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

using testing::ElementsAre;

Tensor row_of(const std::vector<float>& values) {
  return Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values);
}

CodebookWeights of_tensor(const Tensor& weights, CodebookKind kind, int bits, bool power_of_two = false) {
  return codebook_weights(weights, kind, bits, Granularity::tensor, -1, power_of_two);
}

double squared_error(const Tensor& weights, const CodebookWeights& made) {
  double sum = 0.0;
  const Tensor back = dequantize(made.integers, made.params);
  for (std::size_t i = 0; i < static_cast<std::size_t>(weights.size()); ++i)
    sum += std::pow(double{weights.data<float>()[i]} - back.data<float>()[i], 2);
  return sum;
}

TEST(NearestCode, TiesGoToTheSmallestIndex) {
  const Codebook codebook{{-4, -1, 0, 1, 4}, 0.5F};
  EXPECT_EQ(nearest_code(0.25F, codebook), 2);
  EXPECT_EQ(nearest_code(-0.25F, codebook), 1);
  EXPECT_EQ(nearest_code(1.25F, codebook), 3);
  EXPECT_EQ(nearest_code(-1.25F, codebook), 0);
  EXPECT_EQ(nearest_code(0.0F, codebook), 2);
  EXPECT_EQ(nearest_code(1e6F, codebook), 4);
  EXPECT_EQ(nearest_code(-1e6F, codebook), 0);
}

TEST(NearestCode, TheIndexDecidesNotTheValue) {
  // Unsorted, with doubles: 3 and 1 are equally near to 2.
  EXPECT_EQ(nearest_code(2.0F, {{9, 3, 1, 3}, 1.0F}), 1);
  EXPECT_EQ(nearest_code(2.0F, {{9, 1, 3, 1}, 1.0F}), 1);
  EXPECT_EQ(nearest_code(5.0F, {{5, 5, 5}, 1.0F}), 0);
}

TEST(NearestCode, OneEntryAndAllOfThem) {
  EXPECT_EQ(nearest_code(-123.0F, {{7}, 1.0F}), 0);
  Codebook codebook;
  for (std::int32_t c = -32768; c <= 32767; ++c) codebook.entries.push_back(c);
  EXPECT_EQ(nearest_code(32767.0F, codebook), 65535);
  EXPECT_EQ(nearest_code(-0.5F, codebook), 32767);
}

TEST(NearestCode, IsComparedInDouble) {
  // In float32 both distances are 1.4000001, a tie; in double 0.7F·7 is the nearer.
  EXPECT_EQ(nearest_code(3.5F, {{3, 7}, 0.7F}), 1);
}

RC_GTEST_PROP(NearestCode, NoOtherEntryIsNearerAndNoSmallerIndexAsNear, ()) {
  const Codebook codebook{
      *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int32_t>>(rc::gen::inRange(-32768, 32768))),
      *positive_float_of_exponent(-10, 3)};
  const float w = *rc::gen::oneOf(float_of_exponent(-10, 18), rc::gen::just(0.0F));
  const auto distance = [&](std::size_t q) {
    return std::fabs(static_cast<double>(w) - static_cast<double>(codebook.scale) * codebook.entries[q]);
  };
  const auto best = static_cast<std::size_t>(nearest_code(w, codebook));
  for (std::size_t q = 0; q < codebook.entries.size(); ++q) {
    RC_ASSERT(distance(best) <= distance(q));
    if (q < best) RC_ASSERT(distance(best) < distance(q));
  }
}

TEST(KMeans, FindsTheClustersThatAreThere) {
  // s = 1.27/127 = 0.01: two weights at -1.27, three around 0.1, one at 1.27.
  const CodebookWeights made = of_tensor(row_of({-1.27F, 0.09F, 0.1F, -1.27F, 1.27F, 0.11F}), CodebookKind::k_means, 2);
  EXPECT_THAT(made.entries, ElementsAre(-127, -42, 10, 127));  // -42: where an empty cluster began
  EXPECT_THAT(to_int32(made.integers), ElementsAre(-127, 10, 10, -127, 127, 10));
  EXPECT_FLOAT_EQ(made.params.affine[0].scale, 0.01F);
}

TEST(KMeans, EightBitsOfAFewWeightsAreTheWeightsThemselvesToAStep) {
  const Tensor weights = row_of({-1.0F, -0.37F, 0.0F, 0.2F, 0.21F, 0.99F});
  const CodebookWeights made = of_tensor(weights, CodebookKind::k_means, 8);
  const Tensor back = dequantize(made.integers, made.params);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(back.data<float>()[i], weights.data<float>()[i], 0.51F / 127);
}

TEST(KMeans, EqualAndZeroWeights) {
  EXPECT_THAT(to_int32(of_tensor(row_of({0, 0, 0}), CodebookKind::k_means, 4).integers), ElementsAre(0, 0, 0));
  EXPECT_THAT(to_int32(of_tensor(row_of({2, 2}), CodebookKind::k_means, 1).integers), ElementsAre(127, 127));
  EXPECT_EQ(of_tensor(row_of({}), CodebookKind::k_means, 4).integers.size(), 0);
}

RC_GTEST_PROP(KMeans, IsNoWorseThanAUniformGridOfAsManyStepsAndNearestInItsTable, ()) {
  const int bits = *rc::gen::inRange(2, 6);
  std::vector<float> values = *rc::gen::container<std::vector<float>>(
      200, rc::gen::map(rc::gen::inRange(-1000, 1001), [](int i) { return static_cast<float>(i) * std::fabs(static_cast<float>(i)) * 1e-6F; }));
  values.push_back(1.0F);
  const Tensor weights = row_of(values);
  const CodebookWeights made = of_tensor(weights, CodebookKind::k_means, bits);
  RC_ASSERT(made.entries.size() <= std::size_t{1} << bits);
  const Codebook table{made.entries, made.params.affine[0].scale};
  const std::vector<std::int32_t> q = to_int32(made.integers);
  for (std::size_t i = 0; i < q.size(); ++i)
    RC_ASSERT(q[i] == made.entries[static_cast<std::size_t>(nearest_code(values[i], table))]);
  const WeightSpec uniform{.format = {bits, true, true}, .granularity = Granularity::tensor};
  const QuantParams params = params_from_weights(weights, uniform);
  const Tensor back = dequantize(quantize(weights, params), params);
  double error = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) error += std::pow(double{values[i]} - back.data<float>()[i], 2);
  // Half a step of 1/127 for rounding the centres.
  const double rounding = 0.5 * table.scale;
  RC_ASSERT(std::sqrt(squared_error(weights, made) / 201.0) <= std::sqrt(error / 201.0) + rounding);
}

TEST(Log2, EntriesArePowersOfTwoAndTheLargestWeightIsTheLast) {
  for (int bits = 2; bits <= 5; ++bits) {
    const CodebookWeights made = of_tensor(row_of({0.5F, -3.0F, 0.01F, 1.5F}), CodebookKind::log2, bits);
    EXPECT_EQ(made.entries.size(), (std::size_t{1} << bits) - 1);
    const std::int32_t last = 1 << ((1 << (bits - 1)) - 2);
    EXPECT_EQ(made.entries.back(), last);
    EXPECT_EQ(to_int32(made.integers)[1], -last);
    EXPECT_EQ(to_int32(made.integers)[3], bits == 2 ? 0 : last / 2);  // 2 bits: halfway, the smaller index
  }
}

TEST(Codebooks, ScalesByChannelAndPowersOfTwo) {
  const Tensor weights = Tensor::from<float>({2, 2}, std::vector<float>{1.0F, -0.5F, 100.0F, 3.0F});
  for (auto kind : {CodebookKind::k_means, CodebookKind::log2})
    for (bool power_of_two : {false, true}) {
      const CodebookWeights made = codebook_weights(weights, kind, 4, Granularity::channel, 0, power_of_two);
      ASSERT_EQ(made.params.affine.size(), 2U);
      for (const Affine& affine : made.params.affine) {
        int exponent = 0;
        EXPECT_EQ(std::frexp(affine.scale, &exponent) == 0.5F, power_of_two || (kind == CodebookKind::log2 && affine.scale < 0.1F));
      }
      EXPECT_GT(made.params.affine[1].scale, 60 * made.params.affine[0].scale);
    }
}

TEST(Codebooks, RefuseWhatTheyCannotHold) {
  EXPECT_THROW(of_tensor(row_of({1}), CodebookKind::k_means, 9), UsageError);
  EXPECT_THROW(of_tensor(row_of({1}), CodebookKind::k_means, 0), UsageError);
  EXPECT_THROW(of_tensor(row_of({1}), CodebookKind::log2, 6), UsageError);
  EXPECT_THROW(of_tensor(row_of({1}), CodebookKind::log2, 1), UsageError);
  EXPECT_THROW(codebook_weights(row_of({1}), CodebookKind::log2, 4, Granularity::group, 0), UsageError);
  EXPECT_THROW(of_tensor(row_of({std::numeric_limits<float>::quiet_NaN()}), CodebookKind::k_means, 4), InputError);
}

}  // namespace
}  // namespace halftone::numeric
