#include "halftone/report/progress.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <sstream>

namespace halftone::report {
namespace {

// A terminal that shows what was written: one line that '\r' rewrites, and the lines that stayed.
struct Screen {
  std::vector<std::string> lines{""};
  std::size_t widest = 0;

  explicit Screen(const std::string& written) {
    std::size_t column = 0;
    for (char c : written) {
      if (c == '\r') {
        column = 0;
      } else if (c == '\n') {
        lines.emplace_back();
        column = 0;
      } else {
        if (column == lines.back().size()) lines.back() += ' ';
        lines.back()[column++] = c;
        widest = std::max(widest, column);
      }
    }
    for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
  }
};

struct Bench {
  double time = 100;
  std::ostringstream out;

  ProgressOptions options(bool terminal, int columns = 80) {
    return {.terminal = terminal, .columns = columns, .now = [this] { return time; }};
  }
  std::string shown() const { return Screen(out.str()).lines.back(); }
};

TEST(Progress, ShowsBarPercentageTextAndTimes) {
  Bench bench;
  Progress progress(bench.out, bench.options(true));
  bench.time += 12;
  progress.update(0.3, "loss 0.21");
  EXPECT_EQ(bench.shown(), "[######--------------]  30%  loss 0.21  0:12 elapsed, 0:28 left");
  bench.time += 28;
  progress.update(1, "");
  EXPECT_EQ(bench.shown(), "[####################] 100%  0:40 elapsed, 0:00 left");
}

TEST(Progress, ShortensTheBarBeforeAnythingElse) {
  const auto shown = [](int columns) {
    Bench bench;
    Progress progress(bench.out, bench.options(true, columns));
    bench.time += 12;
    progress.update(0.3, "loss 0.21");
    return bench.shown();
  };
  EXPECT_EQ(shown(54), "[###-------]  30%  loss 0.21  0:12 elapsed, 0:28 left");
  EXPECT_EQ(shown(45), " 30%  loss 0.21  0:12 elapsed, 0:28 left");
  EXPECT_EQ(shown(30), " 30%  loss 0.21  0:12 elapsed");
}

TEST(Progress, DrawsNothingAtFirst) {
  Bench bench;
  Progress progress(bench.out, bench.options(true));
  bench.time += 0.4;
  progress.update(0.9, "nearly");
  EXPECT_EQ(bench.out.str(), "");
  bench.time += 0.2;
  progress.update(0.95, "nearly");
  EXPECT_NE(bench.out.str(), "");
}

TEST(Progress, DrawsNoMoreOftenThanItsInterval) {
  Bench bench;
  Progress progress(bench.out, bench.options(true));
  bench.time += 1;
  progress.update(0.1, "first");
  bench.time += 0.05;
  progress.update(0.2, "second");
  EXPECT_NE(bench.shown().find("first"), std::string::npos);
  bench.time += 0.06;
  progress.update(0.3, "third");
  EXPECT_NE(bench.shown().find("third"), std::string::npos);
}

TEST(Progress, LinesStayAboveTheBar) {
  Bench bench;
  Progress progress(bench.out, bench.options(true));
  bench.time += 1;
  progress.update(0.5, "at work");
  progress.line("epoch 1");
  const Screen screen(bench.out.str());
  ASSERT_EQ(screen.lines.size(), 2u);
  EXPECT_EQ(screen.lines[0], "epoch 1");
  EXPECT_NE(screen.lines[1].find("at work"), std::string::npos);
}

TEST(Progress, LeavesNothingBehind) {
  Bench bench;
  {
    Progress progress(bench.out, bench.options(true));
    bench.time += 1;
    progress.update(0.5, "a longer text than the next");
    bench.time += 1;
    progress.update(0.6, "short");
    EXPECT_EQ(bench.shown(), "[############--------]  60%  short  0:02 elapsed, 0:01 left");
  }
  EXPECT_EQ(bench.shown(), "");
}

TEST(Progress, WithoutATerminalOnlyLinesAreWritten) {
  Bench bench;
  {
    Progress progress(bench.out, bench.options(false));
    for (int i = 0; i < 10; ++i) {
      bench.time += 1;
      progress.update(i / 10.0, "text");
    }
    progress.line("epoch 1: loss 0.5");
  }
  EXPECT_EQ(bench.out.str(), "epoch 1: loss 0.5\n");
}

TEST(Progress, TakesAnyFraction) {
  Bench bench;
  Progress progress(bench.out, bench.options(true));
  for (double fraction : {-1.0, 2.0, std::numeric_limits<double>::quiet_NaN()}) {
    bench.time += 1;
    progress.update(fraction, "");
  }
  EXPECT_EQ(bench.shown(), "[--------------------]   0%  0:03 elapsed");
}

RC_GTEST_PROP(Progress, NeverReachesTheLastColumn, ()) {
  Bench bench;
  const auto columns = *rc::gen::inRange(20, 200);
  Progress progress(bench.out, bench.options(true, columns));
  for (int i = 0; i < 20; ++i) {
    bench.time += *rc::gen::inRange(0, 100000);
    const std::string text(*rc::gen::inRange<std::size_t>(0, 300), 'x');
    progress.update(*rc::gen::inRange(0, 1001) / 1000.0, text);
  }
  RC_ASSERT(Screen(bench.out.str()).widest < static_cast<std::size_t>(columns));
}

TEST(FormatDuration, IsMinutesAndSecondsThenHours) {
  EXPECT_EQ(format_duration(0), "0:00");
  EXPECT_EQ(format_duration(59.99), "0:59");
  EXPECT_EQ(format_duration(3599), "59:59");
  EXPECT_EQ(format_duration(3723), "1:02:03");
  EXPECT_EQ(format_duration(-5), "0:00");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "99:59:59");
}

}  // namespace
}  // namespace halftone::report
