// Cells of each family as resources, and the excess on a device.
#include "halftone/rtl/synthesis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/rtl/tool.h"

namespace halftone::rtl {
namespace {

TEST(Device, CountsCellsByWhatTheyTake) {
  const Resources xc7 = resources_of(Family::xc7, {{"LUT2", 3}, {"LUT6", 4}, {"SRL16E", 2}, {"RAM32M", 1}, {"FDRE", 5}, {"FDSE", 1}, {"DSP48E1", 2}, {"RAMB36E1", 2}, {"RAMB18E1", 1}, {"CARRY4", 9}});
  EXPECT_EQ(xc7.lut, 3 + 4 + 2 + 4);
  EXPECT_EQ(xc7.ff, 6);
  EXPECT_EQ(xc7.dsp, 2);
  EXPECT_EQ(xc7.bram, 5);
  const Resources ice40 = resources_of(Family::ice40, {{"SB_LUT4", 7}, {"SB_DFFESR", 2}, {"SB_DFF", 1}, {"SB_MAC16", 3}, {"SB_RAM40_4K", 4}, {"SB_CARRY", 5}});
  EXPECT_EQ(ice40.lut, 7);
  EXPECT_EQ(ice40.ff, 3);
  EXPECT_EQ(ice40.dsp, 3);
  EXPECT_EQ(ice40.bram, 4);
}

TEST(Device, SaysWhatIsOver) {
  EXPECT_TRUE(excess_of(device("xc7z020"), {220, 53'200, 106'400, 280}).empty());
  EXPECT_THAT(excess_of(device("xc7z020"), {221, 53'200, 106'403, 280}), testing::ElementsAre("221 DSP of 220: 1 too many", "106403 FF of 106400: 3 too many"));
  EXPECT_THAT([] { device("xc7"); }, testing::ThrowsMessage<UsageError>(testing::HasSubstr("got 'xc7', expected one of xc7z020")));
}

TEST(Tool, EndsWithItsTimeAndTellsOfFailure) {
  const std::filesystem::path log = std::filesystem::path(testing::TempDir()) / "tool.log";
  ToolRun call{.tool = {"sh", "dash"}, .arguments = {"-c", "exit 0"}, .folder = testing::TempDir(), .log = log};
  EXPECT_EQ(run(call), ToolEnd::succeeded);
  call.arguments = {"-c", "echo 'ERROR: no room'; echo more; exit 3"};
  EXPECT_EQ(run(call), ToolEnd::failed);
  EXPECT_THAT([&] { run_or_throw(call); }, testing::ThrowsMessage<SystemError>(testing::HasSubstr("sh failed: ERROR: no room")));
  call.arguments = {"-c", "sleep 60 & sleep 60"};  // its children end with it
  call.limit = std::chrono::seconds(1);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run(call), ToolEnd::time_is_up);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  call.tool = {"no-such-tool", "such-a-package"};
  EXPECT_THAT([&] { run(call); }, testing::ThrowsMessage<UnsupportedError>(testing::HasSubstr("no-such-tool is not there, expected it in PATH (Debian's package such-a-package)")));
}

}  // namespace
}  // namespace halftone::rtl
