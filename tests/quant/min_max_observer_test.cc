// Ranges are the same however their values are cut and merged.
#include "halftone/quant/min_max_observer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "halftone/base/error.h"

namespace halftone::quant {
namespace {

MinMaxObserver observed(std::span<const float> values) {
  MinMaxObserver observer;
  observer.observe(values);
  return observer;
}

std::vector<float> any_values() {
  return *rc::gen::container<std::vector<float>>(rc::gen::map(
      rc::gen::arbitrary<std::int32_t>(), [](std::int32_t v) { return static_cast<float>(v) * 0x1p-16F; }));
}

RC_GTEST_PROP(MinMaxObserver, SeesTheSmallestAndTheLargest, ()) {
  const std::vector<float> values = any_values();
  RC_PRE(!values.empty());
  const numeric::Range range = observed(values).range();
  RC_ASSERT(range.lo == *std::ranges::min_element(values));
  RC_ASSERT(range.hi == *std::ranges::max_element(values));
}

RC_GTEST_PROP(MinMaxObserver, MergingIsObservingAllInAnyOrder, ()) {
  const std::vector<float> a = any_values(), b = any_values(), c = any_values();
  std::vector<float> all = a;
  all.insert(all.end(), b.begin(), b.end());
  all.insert(all.end(), c.begin(), c.end());
  const numeric::Range whole = observed(all).range();
  MinMaxObserver left = observed(a);
  left.merge(observed(b));
  left.merge(observed(c));
  MinMaxObserver tail = observed(c);
  tail.merge(observed(b));
  MinMaxObserver right = observed(a);
  right.merge(tail);
  RC_ASSERT(left.range() == whole);
  RC_ASSERT(right.range() == whole);
}

TEST(MinMaxObserver, NothingSeenIsZeroAndMergesAway) {
  EXPECT_EQ(MinMaxObserver().range(), (numeric::Range{0.0, 0.0}));
  MinMaxObserver observer = observed(std::vector<float>{2.0F, 3.0F});
  observer.merge(MinMaxObserver());
  EXPECT_EQ(observer.range(), (numeric::Range{2.0, 3.0}));  // not widened to 0
  MinMaxObserver empty;
  empty.merge(observer);
  EXPECT_EQ(empty.range(), observer.range());
}

TEST(MinMaxObserver, WhatIsNotFiniteIsRefused) {
  for (float v : {NAN, -NAN, INFINITY, -INFINITY})
    EXPECT_THROW(observed(std::vector<float>{1.0F, v}), InputError);
}

}  // namespace
}  // namespace halftone::quant
