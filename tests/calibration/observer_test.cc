// Observers choose what their formulas say.
#include "halftone/calibration/observer.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>
#include <utility>

#include "halftone/base/error.h"

namespace halftone::calibration {
namespace {

constexpr Target kInt8{{8, true, false}, numeric::Scheme::asymmetric};
constexpr Target kSymmetric{{8, true, true}, numeric::Scheme::symmetric};
constexpr Target kInt4{{4, true, false}, numeric::Scheme::asymmetric};

// Each value is a row of its own, so that all are counted.
Statistics of(const std::vector<float>& values) {
  Statistics seen;
  seen.observe(0, values, static_cast<std::int64_t>(values.size()));
  return seen;
}

// Values of a distribution by its quantile function, and as many outliers at `at`.
template <typename Quantile>
Statistics drawn(const Quantile& quantile, int count, int outliers = 0, float at = 0.0F) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(quantile((i + 0.5) / count)));
  values.insert(values.end(), static_cast<std::size_t>(outliers), at);
  return of(values);
}

double laplace(double p) { return p < 0.5 ? std::log(2 * p) : -std::log(2 - 2 * p); }

double squared_error(const std::vector<float>& values, const numeric::Range& range, const Target& target) {
  const numeric::Affine affine =
      numeric::affine_from_range(range, target.format, target.scheme, target.power_of_two);
  double sum = 0.0;
  for (float v : values) {
    const double error = v - numeric::dequantize(numeric::quantize(v, affine, target.format), affine);
    sum += error * error;
  }
  return sum;
}

TEST(MinMax, IsTheRangeOfEverything) {
  EXPECT_EQ(min_max(of({1, -3, 2}), kInt8, 0), (numeric::Range{-3, 2}));
  EXPECT_EQ(min_max({}, kInt8, 0), (numeric::Range{0, 0}));
}

TEST(MovingAverage, FollowsTheSampleIndexWhateverTheOrder) {
  Statistics forwards, backwards;
  numeric::Range expected;
  for (int i = 0; i < 700; ++i) {
    const numeric::Range range{-1.0 - i % 7, 2.0 + i % 5};
    expected = i == 0
                   ? range
                   : numeric::Range{0.9 * expected.lo + 0.1 * range.lo, 0.9 * expected.hi + 0.1 * range.hi};
  }
  const auto values = [](int i) {
    return std::vector<float>{-1.0F - static_cast<float>(i % 7), 2.0F + static_cast<float>(i % 5)};
  };
  for (int i = 0; i < 700; ++i) forwards.observe(i, values(i));
  for (int i = 700; i-- > 0;) backwards.observe(i, values(i));
  EXPECT_TRUE(forwards == backwards);
  EXPECT_NEAR(moving_average(forwards, kInt8, 0.9).lo, expected.lo, 1e-12);
  EXPECT_NEAR(moving_average(forwards, kInt8, 0.9).hi, expected.hi, 1e-12);
  EXPECT_EQ(moving_average(forwards, kInt8, 0.0), (numeric::Range{-1.0 - 699 % 7, 2.0 + 699 % 5}));
}

RC_GTEST_PROP(Percentile, HasThatManyValuesOnEachSideOfItsEnds, ()) {
  std::vector<float> values;
  const int count = *rc::gen::inRange(1, 200);
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(*rc::gen::inRange(-300, 301)) / 16.0F);
  const double percent = *rc::gen::inRange(51, 101);
  const Statistics seen = of(values);
  const numeric::Range range = percentile(seen, kInt8, percent);
  const auto share = [&](const auto& condition) {
    return 100.0 * static_cast<double>(std::ranges::count_if(values, condition)) / count;
  };
  RC_ASSERT(range.lo <= range.hi);
  RC_ASSERT(share([&](float v) { return v <= range.hi; }) >= percent);
  RC_ASSERT(share([&](float v) { return v >= range.lo; }) >= percent);
  // One bin further in there would be too few.
  const double width = 1.001 * seen.histogram().bin_width();
  const numeric::Range full = seen.histogram().range();
  if (range.hi > width && range.hi < full.hi)
    RC_ASSERT(share([&](float v) { return v <= range.hi - width; }) < percent);
  if (range.lo < -width && range.lo > full.lo)
    RC_ASSERT(share([&](float v) { return v >= range.lo + width; }) < percent);
}

TEST(KSigma, IsThreeDeviationsAroundTheMeanWithinWhatWasSeen) {
  const Statistics seen = drawn([](double p) { return 10.0 + laplace(p) / std::sqrt(2.0); }, 100000);
  const numeric::Range range = k_sigma(seen, kInt8, 3.0);
  EXPECT_NEAR(range.lo, 7.0, 0.02);
  EXPECT_NEAR(range.hi, 13.0, 0.02);
  EXPECT_EQ(k_sigma(seen, kInt8, 100.0), seen.histogram().range());
}

TEST(KlDivergence, KeepsASmoothDistributionAndCutsASpikyOnesTail) {
  const auto uniform = [](double p) { return 2.0 * p - 1.0; };
  const numeric::Range kept = kl_divergence(drawn(uniform, 200000), kSymmetric, 0);
  EXPECT_GT(kept.hi, 0.98);
  const numeric::Range cut = kl_divergence(drawn(laplace, 200000, 2, 50.0F), kSymmetric, 0);
  EXPECT_LT(cut.hi, 20.0);
  EXPECT_GT(cut.hi, 4.0);
  const auto relu = [](double p) { return std::max(0.0, laplace(p)); };
  for (const Target& target : {kInt8, Target{{8, false, false}, numeric::Scheme::symmetric}}) {
    const numeric::Range one_sided = kl_divergence(drawn(relu, 200000, 1, 40.0F), target, 0);
    EXPECT_EQ(one_sided.lo, 0.0);
    EXPECT_LT(one_sided.hi, 20.0);
    EXPECT_GT(one_sided.hi, 4.0);
  }
}

TEST(KlDivergence, TakesEverythingWhereLevelsAreMoreThanBins) {
  const Statistics seen = drawn(laplace, 1000);
  EXPECT_EQ(kl_divergence(seen, {{16, true, false}, numeric::Scheme::asymmetric}, 0),
            seen.histogram().range());
  EXPECT_EQ(kl_divergence(of({0, 0}), kInt8, 0), (numeric::Range{0, 0}));
  EXPECT_EQ(kl_divergence(of({3}), kInt8, 0), (numeric::Range{3, 3}));
}

// Σ P·log(P/Q) of bins [first, last) from its definition.
double divergence(const std::vector<double>& bins, int first, int last, int levels) {
  const auto at = [&](int i) { return bins.begin() + i; };
  const double total = std::accumulate(bins.begin(), bins.end(), 0.0);
  const double inside = std::accumulate(at(first), at(last), 0.0);
  if (inside == 0.0) return std::numeric_limits<double>::infinity();
  std::vector<double> p(at(first), at(last));
  p.front() += std::accumulate(bins.begin(), at(first), 0.0);
  p.back() += std::accumulate(at(last), bins.end(), 0.0);
  const auto n = static_cast<int>(p.size());
  double sum = 0.0;
  for (int j = 0; j < levels; ++j) {
    const auto begin = p.begin() + j * n / levels;
    const auto end = p.begin() + (j + 1) * n / levels;
    const double filled = static_cast<double>(std::count_if(begin, end, [](double x) { return x > 0.0; }));
    const double count = std::accumulate(at(first + j * n / levels), at(first + (j + 1) * n / levels), 0.0);
    for (auto x = begin; x != end; ++x)
      if (*x > 0.0) sum += *x / total * std::log(*x / total / (std::max(count, 1e-4) / inside / filled));
  }
  return sum;
}

RC_GTEST_PROP(KlDivergence, IsTheLeastOfTheThresholdsThatAreTried, ()) {
  const bool fold = *rc::gen::arbitrary<bool>();
  const int bits = *rc::gen::inRange(1, 9);
  const Target target{{bits, true, fold}, fold ? numeric::Scheme::symmetric : numeric::Scheme::asymmetric};
  std::vector<float> values;
  for (int i = *rc::gen::inRange(1, 200); i > 0; --i)
    values.push_back(std::ldexp(static_cast<float>(*rc::gen::inRange(-64, 65)), *rc::gen::inRange(-3, 3)));
  const Statistics seen = of(values);
  const Histogram& h = seen.histogram();
  RC_PRE(!h.bins().empty());
  std::vector<double> bins(h.bins().begin(), h.bins().end());
  const auto bins_to = [&](double size) {
    return size > 0.0 ? static_cast<int>(size / h.bin_width()) + 1 : 0;
  };
  const int below = bins_to(-h.range().lo);
  const int above = bins_to(h.range().hi);
  const int widest = std::max(below, above);
  if (fold)
    for (std::size_t m = 0; m < Histogram::kSide; ++m)
      bins[Histogram::kSide + m] += std::exchange(bins[Histogram::kSide - 1 - m], 0.0);
  const int levels = 1 << std::max(1, bits - (fold ? 1 : 0));
  const auto at_reach = [&](int reach) {
    const int first = Histogram::kSide - (fold ? 0 : std::min(reach, below));
    const int last = Histogram::kSide + (fold ? reach : std::min(reach, above));
    return last - first < levels ? std::numeric_limits<double>::infinity()
                                 : divergence(bins, first, last, levels);
  };
  double least = std::numeric_limits<double>::infinity();
  for (int reach = widest; reach > 0; reach -= std::max(1, widest / 512))
    least = std::min(least, at_reach(reach));
  const numeric::Range chosen = kl_divergence(seen, target, 0);
  const double threshold = std::max(-chosen.lo, chosen.hi);
  const int reach = threshold == std::max(-h.range().lo, h.range().hi)
                        ? widest
                        : static_cast<int>(std::lround(threshold / h.bin_width()));
  if (std::isfinite(least)) RC_ASSERT(at_reach(reach) <= least + 1e-9 * (1.0 + std::abs(least)));
}

TEST(MeanSquaredError, IsNearTheLeastErrorOfAllRanges) {
  for (const Target& target : {kInt8, kSymmetric, kInt4}) {
    std::vector<float> values;
    for (int i = 0; i < 20000; ++i) values.push_back(static_cast<float>(laplace((i + 0.5) / 20000) + 0.3));
    const numeric::Range chosen = mean_squared_error(of(values), target, 0);
    const double error = squared_error(values, chosen, target);
    double least = error;
    for (double lo = -10.0; lo < 0.0; lo += 0.25)
      for (double hi = 0.5; hi < 11.0; hi += 0.25)
        least = std::min(least, squared_error(values, {lo, hi}, target));
    EXPECT_LE(error, 1.02 * least);
    EXPECT_LE(error, squared_error(values, min_max(of(values), target, 0), target));
  }
}

TEST(MeanSquaredError, OfFormatsFinerThanBinsClipsNothing) {
  const Statistics seen = drawn([](double p) { return 2.0 * p - 1.0; }, 10000);
  const numeric::Range range = mean_squared_error(seen, {{16, true, false}, numeric::Scheme::asymmetric}, 0);
  EXPECT_EQ(range, seen.histogram().range());
}

double absolute_error(const std::vector<float>& values, const numeric::Affine& affine,
                      const numeric::IntegerFormat& format) {
  double sum = 0.0;
  for (float v : values)
    sum += std::fabs(double{v} - numeric::dequantize(numeric::quantize(v, affine, format), affine));
  return sum;
}

// Qiu et al.: argmin over fl of Σ|x − x(bw, fl)|.
TEST(MeanAbsoluteError, OfPowersOfTwoIsTheBestFractionLength) {
  for (int bits : {2, 3, 4, 8})
    for (float size : {0.1F, 1.0F, 37.0F}) {
      const Target target{{bits, true, false}, numeric::Scheme::symmetric, true};
      std::vector<float> values;
      for (int i = 0; i < 20000; ++i) values.push_back(size * static_cast<float>(laplace((i + 0.5) / 20000)));
      const numeric::Affine chosen = numeric::affine_from_range(mean_absolute_error(of(values), target, 0),
                                                                target.format, target.scheme, true);
      double least = HUGE_VAL;
      for (int fl = -12; fl <= 16; ++fl)
        least = std::min(least, absolute_error(values, numeric::fixed_point(fl), target.format));
      EXPECT_LE(absolute_error(values, chosen, target.format), 1.0001 * least) << bits << " bits, " << size;
    }
}

// A few large values weigh less than by their squares.
TEST(MeanAbsoluteError, ClipsMoreThanTheSquaredError) {
  std::vector<float> values(10, 50.0F);
  for (int i = 0; i < 20000; ++i) values.push_back(static_cast<float>(laplace((i + 0.5) / 20000)));
  EXPECT_LT(mean_absolute_error(of(values), kSymmetric, 0).hi,
            mean_squared_error(of(values), kSymmetric, 0).hi);
}

TEST(FixedPoint, IsThePowerOfTwoWhateverWasSeen) {
  const Target full{.format = {8, true, false}, .scheme = numeric::Scheme::symmetric};
  for (const Target& target : {kInt8, kInt4, full, Target{.format = {16, true, false}}})
    for (const int length : {-3, 0, 5, 64})
      for (const Statistics& seen : {Statistics(), of({1000, -1e-3F})}) {
        const auto affine =
            numeric::affine_from_range(fixed_point(seen, target, length), target.format, target.scheme);
        EXPECT_EQ(affine.scale, std::ldexp(1.0F, -length));
        EXPECT_EQ(affine.zero_point, 0);
      }
}

TEST(Observer, EveryRowTakesNothingZerosAndOneValue) {
  for (const Observer& observer : observers())
    for (const Target& target : {kInt8, kSymmetric, kInt4})
      for (const Statistics& seen :
           {Statistics(), of({0, 0}), of({-2.5F}), of({1e-45F}), of({3e38F, -3e38F})}) {
        const numeric::Range range = observer.choose(seen, target, observer.usual);
        EXPECT_LE(range.lo, range.hi) << observer.name;
        EXPECT_NO_THROW(numeric::affine_from_range(range, target.format, target.scheme)) << observer.name;
      }
}

TEST(Observer, IsReadWithItsNumber) {
  EXPECT_EQ(describe(parse_observer("mse")), "mse");
  EXPECT_EQ(describe(parse_observer("l1")), "l1");
  EXPECT_EQ(describe(parse_observer("percentile")), "percentile=99.99");
  EXPECT_EQ(describe(parse_observer("percentile=99.5")), "percentile=99.5");
  EXPECT_EQ(describe(ObserverChoice{}), "minmax");
  for (const char* bad : {"", "best", "mse=3", "percentile=", "percentile=x", "percentile=101", "sigma=nan",
                          "sigma=3x", "percentile=50", "fixed=2.5", "fixed=65"})
    EXPECT_THROW(parse_observer(bad), UsageError) << bad;
}

}  // namespace
}  // namespace halftone::calibration
