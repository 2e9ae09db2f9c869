// Choosing integers by the quadratic that a layer's error is.
#include "halftone/ptq/rounding.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "halftone/base/error.h"

namespace halftone::ptq {
namespace {

using testing::ElementsAre;

float any_number() { return static_cast<float>(*rc::gen::inRange(-1000, 1001)) / 256.0F; }

// H = E[x̂x̂ᵀ] of a few rows that hang together, c of a float network that sees nearly the same.
LayerProblem any_problem(std::int64_t channels, std::int64_t inputs, std::int64_t rows) {
  LayerProblem p{.channels = channels, .inputs = inputs};
  const auto m = static_cast<std::size_t>(channels);
  const auto k = static_cast<std::size_t>(inputs);
  p.hessian.assign(k * k, 0.0F);
  p.target.assign(m * k, 0.0F);
  for (std::size_t i = 0; i < m * k; ++i) p.weights.push_back(any_number());
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<float> x(k);
    const float common = any_number();
    for (float& v : x) v = common + 0.5F * any_number();
    for (std::size_t c = 0; c < m; ++c) {
      double y = any_number() / 16.0;
      for (std::size_t i = 0; i < k; ++i) y += double{p.weights[c * k + i]} * x[i];
      for (std::size_t i = 0; i < k; ++i)
        p.target[c * k + i] += static_cast<float>(y * x[i] / static_cast<double>(rows));
    }
    for (std::size_t i = 0; i < k; ++i)
      for (std::size_t j = 0; j < k; ++j) p.hessian[i * k + j] += x[i] * x[j] / static_cast<float>(rows);
  }
  damp(p, 0.01);
  return p;
}

LayerProblem any_problem() { return any_problem(3, *rc::gen::inRange(1, 12), 20); }

// The same grid for every weight.
Grids all_of(const Grid& grid, std::int64_t channels, std::int64_t inputs) {
  return {.share = inputs, .per_channel = 1, .all = std::vector<Grid>(static_cast<std::size_t>(channels), grid)};
}

Grids any_grids(const LayerProblem& p) {
  const std::int32_t hi = *rc::gen::element(1, 3, 7);
  const bool binary = hi == 1 && *rc::gen::arbitrary<bool>();
  Grids grids{.share = *rc::gen::inRange<std::int64_t>(1, p.inputs + 2)};
  grids.per_channel = (p.inputs + grids.share - 1) / grids.share;
  for (std::int64_t i = 0; i < p.channels * grids.per_channel; ++i)
    grids.all.push_back({4.0 / hi * (1.0 + 0.1 * static_cast<double>(i % 7)), -hi, hi, binary ? 2 : 1});
  return grids;
}

std::vector<std::int32_t> every_place(const Grid& grid) {
  std::vector<std::int32_t> places;
  for (std::int32_t u = grid.lo; u <= grid.hi; u += grid.step) places.push_back(u);
  return places;
}

double loss_of(const LayerProblem& p, const Grids& grids, const Rounded& u, std::int64_t m) {
  return forms_of(p, grids, m, with_response(p, grids, u, 1)).loss();
}

void check_on_grid(const LayerProblem& p, const Grids& grids, const Rounded& u) {
  RC_ASSERT(u.size() == p.weights.size());
  for (std::size_t i = 0; i < u.size(); ++i) {
    const auto inputs = static_cast<std::size_t>(p.inputs);
    const Grid& grid = grids.at(static_cast<std::int64_t>(i / inputs), i % inputs);
    RC_ASSERT(u[i] >= grid.lo);
    RC_ASSERT(u[i] <= grid.hi);
    RC_ASSERT((u[i] - grid.lo) % grid.step == 0);
  }
}

TEST(Grid, NearestStaysInsideAndOnTheStep) {
  const Grid grid{1.0, -3, 3, 1};
  EXPECT_EQ(grid.nearest(0.4), 0);
  EXPECT_EQ(grid.nearest(-2.6), -3);
  EXPECT_EQ(grid.nearest(99.0), 3);
  EXPECT_EQ(grid.nearest(-1e300), -3);
  const Grid binary{1.0, -1, 1, 2};
  EXPECT_EQ(binary.nearest(0.01), 1);
  EXPECT_EQ(binary.nearest(-0.01), -1);
  EXPECT_EQ(binary.nearest(5.0), 1);
}

TEST(LayerProblem, LossOnHandWorkedNumbers) {
  const LayerProblem p{
      .channels = 1, .inputs = 2, .hessian = {2, 1, 1, 3}, .target = {4, 5}, .weights = {1, 1}};
  const std::vector<std::int32_t> u{2, -1};
  const auto forms_with = [&](const Grids& grids) { return forms_of(p, grids, 0, with_response(p, grids, u, 1)); };
  const Forms forms = forms_with(all_of({.scale = 0.5}, 1, 2));
  EXPECT_EQ(forms.quadratic, 0.25 * (4 * 2 - 2 * 2 * 1 + 3));
  EXPECT_EQ(forms.linear, 0.5 * (8 - 5));
  EXPECT_EQ(forms.loss(), 0.25 * 7 - 2 * 0.5 * 3);
  const Grids each{.share = 1, .per_channel = 2, .all = {{.scale = 0.5}, {.scale = 2.0}}};  // ŵ = (1, −2)
  EXPECT_EQ(forms_with(each).quadratic, 1 * 2 - 2 * 2 * 1 + 4 * 3);
  EXPECT_EQ(forms_with(each).linear, 4 - 10);
}

TEST(Grids, ShareByInputsInTurn) {
  const Grids grids{.share = 2, .per_channel = 2, .all = {{.scale = 1}, {.scale = 2}, {.scale = 3}, {.scale = 4}}};
  std::vector<double> scales;
  for (std::int64_t m = 0; m < 2; ++m)
    for (std::size_t k = 0; k < 3; ++k) scales.push_back(grids.at(m, k).scale);
  EXPECT_THAT(scales, ElementsAre(1, 1, 2, 3, 3, 4));
}

TEST(LayerProblem, DampingLeavesUnseenInputsAtTheirWeights) {
  LayerProblem p{.channels = 1, .inputs = 2, .hessian = {4, 0, 0, 0}, .target = {4, 0}, .weights = {1, -2}};
  damp(p, 0.5);
  EXPECT_THAT(p.hessian, ElementsAre(5, 0, 0, 1));
  EXPECT_THAT(p.target, ElementsAre(5, -2));  // the best second weight is −2
  for (float almost : {0.0F, 1e-42F}) {
    LayerProblem zero{.channels = 1, .inputs = 1, .hessian = {almost}, .target = {almost}, .weights = {3}};
    damp(zero, 0.01);
    EXPECT_THAT(zero.hessian, ElementsAre(1));
    EXPECT_THAT(zero.target, ElementsAre(3));
  }
}

RC_GTEST_PROP(Rounding, EveryMethodStaysOnTheGridAndIsTheSameForAnyThreads, ()) {
  const LayerProblem p = any_problem();
  const auto grids = any_grids(p);
  check_on_grid(p, grids, round_nearest(p, grids));
  const Rounded feedback = round_with_feedback(p, grids, 1);
  check_on_grid(p, grids, feedback);
  RC_ASSERT(round_with_feedback(p, grids, 2) == feedback);
  const Rounded adaptive = round_adaptively(p, grids, 50, 1);
  check_on_grid(p, grids, adaptive);
  RC_ASSERT(round_adaptively(p, grids, 50, 2) == adaptive);
}

RC_GTEST_PROP(Descend, NeverHarmsAndEndsWhereNoSingleMoveHelps, ()) {
  const LayerProblem p = any_problem();
  const auto grids = any_grids(p);
  const Rounded before = round_nearest(p, grids);
  Rounding one = with_response(p, grids, before, 1);
  descend(p, grids, one, 1);
  Rounding two = with_response(p, grids, before, 2);
  descend(p, grids, two, 2);
  RC_ASSERT(one.u == two.u);
  RC_ASSERT(one.response == two.response);
  const Rounded& after = one.u;
  check_on_grid(p, grids, after);
  const Rounding again = with_response(p, grids, after, 1);
  for (std::size_t i = 0; i < after.size(); ++i)
    RC_ASSERT(std::abs(again.response[i] - one.response[i]) <= 1e-9 * (1.0 + std::abs(again.response[i])));
  for (std::int64_t m = 0; m < p.channels; ++m) {
    const double least = loss_of(p, grids, after, m);
    const double slack = 1e-5 * (1.0 + std::abs(least));
    RC_ASSERT(least <= loss_of(p, grids, before, m) + slack);
    for (std::int64_t k = 0; k < p.inputs; ++k)
      for (std::int32_t to : every_place(grids.at(m, static_cast<std::size_t>(k)))) {
        Rounded moved = after;
        moved[static_cast<std::size_t>(m * p.inputs + k)] = to;
        RC_ASSERT(least <= loss_of(p, grids, moved, m) + slack);
      }
  }
}

// Where inputs are independent of each other, there is nothing to feed back.
RC_GTEST_PROP(ErrorFeedback, OfIndependentInputsIsTheNearest, ()) {
  LayerProblem p = any_problem(2, 5, 10);
  for (std::size_t i = 0; i < 25; ++i)
    if (i % 6 != 0) p.hessian[i] = 0.0F;
  for (std::size_t i = 0; i < p.target.size(); ++i) p.target[i] = p.weights[i] * p.hessian[i % 5 * 6];
  const Grids grids = all_of({0.25, -7, 7, 1}, 2, 5);
  const Rounded feedback = round_with_feedback(p, grids, 1);
  for (std::size_t i = 0; i < feedback.size(); ++i) {
    const double u = p.weights[i] / 0.25;
    const bool tie = std::abs(u - std::floor(u) - 0.5) < 1e-4;  // either way then
    RC_ASSERT(tie || feedback[i] == grids.all[0].nearest(u));
  }
}

TEST(ErrorFeedback, RefusesInputsThatAreNotFinite) {
  LayerProblem p{.channels = 1, .inputs = 1, .hessian = {NAN}, .target = {0}, .weights = {1}};
  const Grids grids = all_of({}, 1, 1);
  EXPECT_THROW(round_with_feedback(p, grids, 1), InputError);
}

// Two equal inputs: rounding both down loses 0.8, rounding one up only 0.2.
TEST(Rounding, SeesThatErrorsCancel) {
  LayerProblem p{
      .channels = 1, .inputs = 2, .hessian = {1, 1, 1, 1}, .target = {0.8F, 0.8F}, .weights = {0.45F, 0.35F}};
  damp(p, 0.01);
  const Grids grids = all_of({1.0, -3, 3, 1}, 1, 2);
  EXPECT_THAT(round_nearest(p, grids), ElementsAre(0, 0));
  const auto sum = [](const Rounded& u) { return u[0] + u[1]; };
  EXPECT_EQ(sum(round_with_feedback(p, grids, 1)), 1);
  EXPECT_EQ(sum(round_adaptively(p, grids, 2000, 1)), 1);
  Rounding down = with_response(p, grids, {0, 0}, 1);
  descend(p, grids, down, 1);
  EXPECT_EQ(sum(down.u), 1);
}

RC_GTEST_PROP(AdaRound, IsUpOrDown, ()) {
  const LayerProblem p = any_problem(2, 6, 20);
  const Grids grids = all_of({0.25, -20, 20, 1}, 2, 6);
  const Rounded u = round_adaptively(p, grids, 300, 1);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const double exact = p.weights[i] / 0.25;
    RC_ASSERT(std::abs(u[i] - exact) <= 1.0);
  }
}

TEST(AdaRound, LosesLessThanNearestOverManyLayers) {
  double nearest = 0.0;
  double adaptive = 0.0;
  rc::check([&] {
    const LayerProblem p = any_problem(3, 10, 40);
    const Grids grids = all_of({0.5, -8, 8, 1}, 3, 10);
    const Rounded a = round_nearest(p, grids);
    const Rounded b = round_adaptively(p, grids, 500, 1);
    for (std::int64_t m = 0; m < 3; ++m) {
      nearest += loss_of(p, grids, a, m);
      adaptive += loss_of(p, grids, b, m);
    }
  });
  EXPECT_LT(adaptive, nearest);
}

}  // namespace
}  // namespace halftone::ptq
