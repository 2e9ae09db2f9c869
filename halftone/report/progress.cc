#include "halftone/report/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "halftone/base/shown.h"

namespace halftone::report {
namespace {

constexpr int kBarCells = 20;
constexpr int kLeastBarCells = 5;
constexpr int kLeastColumns = 20;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string bar(double fraction, int cells) {
  if (cells < kLeastBarCells) return "";
  const auto full = static_cast<std::size_t>(std::floor(fraction * cells));
  return fmt::format("[{}{}] ", std::string(full, '#'),
                     std::string(static_cast<std::size_t>(cells) - full, '-'));
}

}  // namespace

ProgressOptions stderr_options() {
  ProgressOptions options{.terminal = isatty(STDERR_FILENO) != 0};
  winsize size{};
  if (options.terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= kLeastColumns)
    options.columns = size.ws_col;
  return options;
}

Progress::Progress(std::ostream& out, ProgressOptions options) : out_(out), options_(std::move(options)) {
  if (!options_.now) options_.now = steady_seconds;
  start_ = options_.now();
  last_drawn_ = -std::numeric_limits<double>::infinity();
}

Progress::~Progress() { erase(); }

void Progress::update(double fraction, std::string_view text) {
  fraction_ = std::isnan(fraction) ? 0.0 : std::clamp(fraction, 0.0, 1.0);
  text_ = shown(text);
  if (!options_.terminal) return;
  const double now = options_.now();
  if (now - start_ < options_.delay || now - last_drawn_ < options_.interval) return;
  last_drawn_ = now;
  draw();
}

void Progress::line(std::string_view text) {
  const bool redraw = drawn_length_ > 0;
  erase();
  out_ << text << '\n' << std::flush;
  if (redraw) draw();
}

void Progress::erase() {
  if (drawn_length_ == 0) return;
  out_ << '\r' << std::string(drawn_length_, ' ') << '\r' << std::flush;
  drawn_length_ = 0;
}

void Progress::draw() {
  const std::string text = drawing(options_.now() - start_);
  const std::size_t leftover = drawn_length_ > text.size() ? drawn_length_ - text.size() : 0;
  out_ << '\r' << text << std::string(leftover, ' ') << std::flush;
  drawn_length_ = std::max(text.size(), drawn_length_);
}

std::string Progress::drawing(double elapsed) const {
  std::string rest = fmt::format("{:3.0f}%", std::floor(fraction_ * 100.0));
  if (!text_.empty()) rest += "  " + text_;
  rest += fmt::format("  {} elapsed", format_duration(elapsed));
  if (fraction_ > 0)
    rest += fmt::format(", {} left", format_duration(std::round(elapsed * (1.0 - fraction_) / fraction_)));
  // A character in the last column would wrap, and a wrapped line cannot be drawn over.
  const int room = std::max(options_.columns, kLeastColumns) - 1;
  const int brackets = 3;  // and the space after them
  const int cells = std::min<int>(kBarCells, room - brackets - static_cast<int>(rest.size()));
  return (bar(fraction_, cells) + rest).substr(0, static_cast<std::size_t>(room));
}

std::string format_duration(double seconds) {
  constexpr double kLongest = 359999.0;  // 99:59:59
  const auto whole = static_cast<int>(std::isnan(seconds) ? 0.0 : std::clamp(seconds, 0.0, kLongest));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace halftone::report
