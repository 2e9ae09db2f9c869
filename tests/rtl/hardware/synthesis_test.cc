// Predicted resources beside those that Yosys counts, on arrays that are not among the fitted ones.
#include "halftone/rtl/synthesis.h"

#include <gtest/gtest.h>

#include "halftone/rtl/predicted_resources.h"
#include "halftone/rtl/simulation.h"
#include "halftone/rtl/single_multiplier.h"
#include "halftone/rtl/tool.h"

namespace halftone::rtl {
namespace {

constexpr const char* kFitted = "Yosys 0.23";

class Synthesized : public testing::TestWithParam<ArrayGeometry> {};

TEST_P(Synthesized, IsWhatWasPredicted) {
  if (!is_there({"yosys", ""})) GTEST_SKIP() << "skipped: yosys is missing";
  const ArrayGeometry g = with_memories_for(GetParam(), {});
  const Synthesis made = synthesize(top_of(g), device("xc7z020"), kept_folder(KEPT_FOLDER));
  const Resources predicted = predicted_resources(g);
  EXPECT_EQ(made.used.dsp, predicted.dsp);
  if (!made.tool.starts_with(kFitted)) GTEST_SKIP() << "skipped: LUTs and FFs are predicted for " << kFitted << ", here is " << made.tool;
  EXPECT_NEAR(static_cast<double>(made.used.lut), static_cast<double>(predicted.lut), 0.1 * static_cast<double>(made.used.lut));
  EXPECT_NEAR(static_cast<double>(made.used.ff), static_cast<double>(predicted.ff), 0.1 * static_cast<double>(made.used.ff));
}

INSTANTIATE_TEST_SUITE_P(OfEachKind, Synthesized,
                         testing::Values(ArrayGeometry{.rows = 6, .cols = 5, .lanes = 2, .acc_width = 24}, ArrayGeometry{.rows = 8, .cols = 8, .lanes = 2, .acc_width = 22, .mantissa = 32},
                                         ArrayGeometry{.rows = 8, .cols = 6, .pair = true, .lanes = 2, .acc_width = 24}, ArrayGeometry{.rows = 6, .cols = 4, .bits = 4, .lanes = 2, .acc_width = 16},
                                         ArrayGeometry{.rows = 5, .cols = 5, .bits = 1, .lanes = 1, .acc_width = 13}),
                         [](const auto& one) { return "Bits" + std::to_string(one.param.bits) + (one.param.pair ? "Pair" : "") + "Array" + std::to_string(one.index); });

// Lab 6 reports 1,588 LUTs, 643 FFs, 1 DSP and 20 BRAM_18K for its int8 design.
TEST(SingleMultiplierSynthesized, TakesATenthOfTheReportsLuts) {
  if (!is_there({"yosys", ""})) GTEST_SKIP() << "skipped: yosys is missing";
  const Resources used = synthesize(top_of(SingleMultiplier{}), device("xc7z020"), kept_folder(KEPT_FOLDER)).used;
  EXPECT_LE(used.lut, 158);
  EXPECT_EQ(used.dsp, 1);
  EXPECT_LE(used.bram, 10);
}

}  // namespace
}  // namespace halftone::rtl
