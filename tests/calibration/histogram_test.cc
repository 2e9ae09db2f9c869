// A histogram is a function of the values alone, whatever the order and the parts they came in.
#include "halftone/calibration/histogram.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "halftone/base/error.h"

namespace halftone::calibration {
namespace {

// Numbers of any size, with zeros and equal ones.
std::vector<float> any_values() {
  const int count = *rc::gen::inRange(0, 60);
  const int spread = *rc::gen::inRange(1, 40);
  std::vector<float> values;
  for (int i = 0; i < count; ++i) {
    const auto mantissa = static_cast<float>(*rc::gen::inRange(-4096, 4097));
    values.push_back(std::ldexp(mantissa, *rc::gen::inRange(-spread, spread)));
  }
  return values;
}

Histogram of(const std::vector<float>& values) {
  Histogram h;
  h.observe(values);
  return h;
}

// The page's definition, value by value.
void expect_is_that_of(const Histogram& h, const std::vector<float>& values) {
  float most = 0.0F;
  for (float v : values) most = std::max(most, std::fabs(v));
  RC_ASSERT(h.count() == static_cast<std::int64_t>(values.size()));
  RC_ASSERT(h.zeros() == std::count(values.begin(), values.end(), 0.0F));
  if (most == 0.0F) return;
  const double width = h.bin_width();
  RC_ASSERT(most < Histogram::kSide * width);
  RC_ASSERT(h.exponent() == Histogram::kMinExponent || most >= Histogram::kSide / 2 * width);
  std::vector<std::int64_t> bins(Histogram::kBins);
  for (float v : values) {
    const auto m = static_cast<int>(std::floor(std::fabs(double{v}) / width));
    if (v != 0.0F) ++bins[static_cast<std::size_t>(v > 0 ? Histogram::kSide + m : Histogram::kSide - 1 - m)];
  }
  RC_ASSERT(std::ranges::equal(h.bins(), bins));
  const auto [lo, hi] = std::ranges::minmax(values);
  RC_ASSERT(h.range() == (numeric::Range{lo, hi}));
}

RC_GTEST_PROP(Histogram, CountsEveryValueInItsBin, ()) {
  const std::vector<float> values = any_values();
  expect_is_that_of(of(values), values);
}

RC_GTEST_PROP(Histogram, IsTheSameInPartsOfAnyOrder, ()) {
  std::vector<float> values;
  std::vector<Histogram> parts;
  Histogram one;
  for (int n = *rc::gen::inRange(1, 6); n > 0; --n) {
    const std::vector<float> part = any_values();
    values.insert(values.end(), part.begin(), part.end());
    parts.push_back(of(part));
    one.observe(part);
  }
  Histogram forwards, backwards;
  for (const Histogram& part : parts) forwards.merge(part);
  for (std::size_t i = parts.size(); i-- > 0;) backwards.merge(parts[i]);
  RC_ASSERT(forwards == of(values));
  RC_ASSERT(backwards == of(values));
  RC_ASSERT(one == of(values));
}

TEST(Histogram, TakesTheLargestAndSmallestNumbers) {
  for (float v : {1e-45F, -1e-45F, 1.17549435e-38F, 3.40282347e38F, -3.40282347e38F}) {
    const Histogram h = of({v, 0.0F});
    EXPECT_EQ(std::accumulate(h.bins().begin(), h.bins().end(), std::int64_t{0}), 1) << v;
    Histogram both = of({1.0F, -1.0F});
    both.merge(h);
    EXPECT_EQ(std::accumulate(both.bins().begin(), both.bins().end(), std::int64_t{0}), 3) << v;
    EXPECT_EQ(both, of({v, 1.0F, 0.0F, -1.0F})) << v;
  }
}

TEST(Histogram, OfNothingOrZerosHasNoBins) {
  EXPECT_TRUE(Histogram().empty());
  EXPECT_EQ(Histogram().range(), (numeric::Range{0, 0}));
  const Histogram zeros = of({0.0F, -0.0F});
  EXPECT_EQ(zeros.zeros(), 2);
  EXPECT_TRUE(zeros.bins().empty());
  EXPECT_EQ(zeros.variance(), 0.0);
}

TEST(Histogram, RefusesWhatIsNotFiniteAndStaysAsItWas) {
  for (float bad : {NAN, INFINITY, -INFINITY}) {
    for (const std::vector<float>& values :
         {std::vector{1.0F, bad}, std::vector{bad, 1.0F}, std::vector{bad}}) {
      Histogram h = of({2.0F});
      EXPECT_THROW(h.observe(values), InputError);
      EXPECT_EQ(h, of({2.0F}));
    }
  }
}

TEST(Histogram, KnowsMeanAndVarianceWithinABin) {
  std::vector<float> values;
  for (int i = 0; i < 10000; ++i) values.push_back(3.0F + std::sin(static_cast<float>(i) * 0.7F));
  values.resize(12000);  // and zeros
  const Histogram h = of(values);
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 12000.0;
  double variance = 0.0;
  for (float v : values) variance += (v - mean) * (v - mean) / 12000.0;
  EXPECT_NEAR(h.mean(), mean, h.bin_width());
  EXPECT_NEAR(h.variance(), variance, 2.0 * h.bin_width() * std::sqrt(variance));
}

// A part of the runs, other ones of each sample, and all extremes.
TEST(Histogram, OfAPartCountsOneRunInSoManyAndSeesEveryExtreme) {
  std::vector<float> values(64 * 160);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(1 + i / 64);  // the number of the run
  for (const std::size_t of : {2U, 8U, 16U}) {
    std::vector<std::int64_t> total(161);
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      Histogram h;
      const numeric::Range range = h.observe(values, {of, seed});
      EXPECT_EQ(range.lo, 1.0);
      EXPECT_EQ(range.hi, 160.0);
      EXPECT_EQ(h.range().hi, 160.0);
      EXPECT_EQ(h.count(), static_cast<std::int64_t>(values.size()));  // each counts for all of its part
      Histogram again;
      again.observe(values, {of, seed});
      EXPECT_EQ(h, again);
      for (int bin = Histogram::kSide; bin < Histogram::kBins; ++bin)
        if (const std::int64_t count = h.bins()[static_cast<std::size_t>(bin)])
          total[static_cast<std::size_t>(h.middle(bin))] += count;
    }
    // Each run has a chance of 1/of in each of 200 samples: within six deviations.
    const double expected = 200.0 / static_cast<double>(of);
    for (std::size_t run = 1; run <= 160; ++run)
      EXPECT_NEAR(static_cast<double>(total[run]) / 64.0 / static_cast<double>(of), expected, 6.0 * std::sqrt(expected)) << run << " of " << of;
  }
}

// A value of which a part was counted weighs as much beside others as if all had been.
TEST(Histogram, PartsWeighLikeTheWhole) {
  std::vector<float> some(16384);
  for (std::size_t i = 0; i < some.size(); ++i) some[i] = static_cast<float>(i % 7) - 3.0F;
  Histogram h;
  h.observe(some, {16, 5});
  h.observe(std::vector<float>(1024, 10.0F));
  EXPECT_EQ(h.count(), 16384 + 1024);
  EXPECT_EQ(h.bins()[static_cast<std::size_t>(Histogram::kSide + 1280)], 1024);  // bins of 2^-7
}

// Shards that saw values other than 0, and counted zeros alone.
TEST(Histogram, AStateWithoutCountsKeepsItsBins) {
  Histogram whole;
  std::uint64_t seed = 0;
  std::vector<float> values(64 * 16, 0.0F);
  values[3] = 100.0F;
  do {
    whole = Histogram();
    whole.observe(values, {16, seed++});
  } while (whole.count() != whole.zeros());
  const Histogram read(HistogramState{.exponent = whole.exponent(), .zeros = whole.zeros(), .range = whole.range(), .bins = {}});
  EXPECT_EQ(read, whole);
  Histogram a;
  a.observe(std::vector<float>(8, 0.01F));
  Histogram b = a;
  a.merge(whole);
  b.merge(read);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.exponent(), whole.exponent());
}

// A sample of zeros alone weighs no more than any other.
TEST(Histogram, OfAPartOfZerosCountsThatPart) {
  Histogram h;
  h.observe(std::vector<float>(64 * 160, 0.0F), {16, 3});
  EXPECT_EQ(h.zeros(), 10240);
  EXPECT_TRUE(h.bins().empty());
  h.observe(std::vector<float>(64 * 160, 1.0F), {16, 4});
  EXPECT_EQ(h.count(), 20480);
}

TEST(Histogram, OfAPartWithARaggedEnd) {
  for (const std::size_t size : {1U, 63U, 64U, 65U, 129U, 1000U, 1025U}) {
    std::int64_t counted = 0;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
      Histogram h;
      h.observe(std::vector<float>(size, 2.0F), {8, seed});
      counted += h.count();
      EXPECT_EQ(h.range().hi, 2.0);
    }
    // Each value has a chance of 1/8 in each of 2,000 samples, and then counts 8 times; at worst 64 at a time: within six
    // deviations.
    EXPECT_NEAR(static_cast<double>(counted), 2000.0 * static_cast<double>(size),
                6.0 * 8.0 * std::sqrt(2000.0 * static_cast<double>(size) * 8.0)) << size;
  }
}

TEST(Histogram, ExtremesOfValuesThatWereNotCountedStay) {
  Histogram h;
  std::uint64_t seed = 0;
  do {
    h = Histogram();
    h.observe(std::vector<float>(1, -7.0F), {8, seed++});
  } while (h.count() > 0);
  h.observe(std::vector<float>(1, 3.0F), {1, 0});
  EXPECT_EQ(h.range().lo, -7.0);
  Histogram merged;
  merged.observe(std::vector<float>(1, 3.0F), {1, 0});
  Histogram other;
  other.observe(std::vector<float>(1, -7.0F), {8, seed - 1});
  merged.merge(other);
  EXPECT_EQ(merged.range().lo, -7.0);
}

TEST(Histogram, SeesNaNAndInfinityWhereverTheyStand) {
  for (std::size_t at = 0; at < 40; ++at)
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      std::vector<float> values(40, 1.0F);
      values[at] = bad;
      Histogram h;
      EXPECT_THROW(h.observe(values, {16, 0}), InputError) << at << " " << bad;
      EXPECT_TRUE(h.empty());
    }
  Histogram large;
  large.observe(std::vector<float>(40, std::numeric_limits<float>::max()));
  EXPECT_EQ(large.count(), 40);
}

}  // namespace
}  // namespace halftone::calibration
