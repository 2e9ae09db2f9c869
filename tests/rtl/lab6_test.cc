// Lab 6's figures, and the models beside them.
#include "halftone/rtl/lab6.h"

#include <gtest/gtest.h>

#include "halftone/rtl/single_multiplier.h"

namespace halftone::rtl {
namespace {

TEST(Lab6, TheModelMeetsTheReport) {
  for (const Lab6Design& design : lab6_designs()) {
    EXPECT_EQ(lab6_interval(design, {}), design.interval) << design.name;
    EXPECT_EQ(lab6_latency(design, {}), design.latency) << design.name;
  }
}

TEST(SingleMultiplier, TakesFewerCyclesThanTheReports) {
  for (int floats : {0, 1, 2}) {
    const std::int64_t cycles = cycles_of({.shape = {}, .floats = floats});
    EXPECT_LE(cycles, 545'000) << floats;
    EXPECT_GE(cycles, 64 * 128 * 64) << floats;
  }
}

// 0x0F33 and 0x0033 end in the same byte; clamped, one is 127.
TEST(SingleMultiplier, ClampsOrKeepsTheLowBits) {
  SingleMultiplier design{.shape = {2, 2, 2}};
  const std::vector<std::uint32_t> a{0x7f, 0x1f, 0x33, 0}, b{0x1d, 1, 8, 0};  // 127·29 + 31·8 = 3931 = 0x0f5b
  EXPECT_EQ(expected_results(design, a, b), (std::vector<std::uint32_t>{127, 127, 127, 0x33}));
  design.clamp = false;
  EXPECT_EQ(expected_results(design, a, b), (std::vector<std::uint32_t>{0x5b, 0x7f, 0xc7, 0x33}));
}

}  // namespace
}  // namespace halftone::rtl
