// One line that tells how far something is: a bar, the percentage, a text, the time taken and the time left.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace halftone::report {

struct ProgressOptions {
  bool terminal = false;        // draw; otherwise only line() writes
  int columns = 80;             // width of the terminal
  double delay = 0.5;           // seconds before anything is drawn, so that short work leaves no trace
  double interval = 0.1;        // least seconds between two drawings
  std::function<double()> now;  // seconds from any point that does not move; empty: the steady clock
};

// The state of standard error: whether a terminal, and how wide.
ProgressOptions stderr_options();

// Not thread-safe. Erases what it drew when it goes out of scope.
class Progress {
 public:
  // `out` must outlive it.
  explicit Progress(std::ostream& out, ProgressOptions options = {});
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `fraction` of the work is done, 0 to 1; time left = elapsed·(1 − fraction)/fraction. Draws
  //   [######--------------]  30%  loss 0.21  0:12 elapsed, 0:28 left
  // with a shorter bar, or none, where the line is narrow.
  void update(double fraction, std::string_view text);
  // A line of its own that stays, above the bar; also where no bar is drawn.
  void line(std::string_view text);
  // Takes the bar away.
  void erase();

 private:
  void draw();
  std::string drawing(double elapsed) const;

  std::ostream& out_;
  ProgressOptions options_;
  double start_;
  double last_drawn_;
  double fraction_ = 0;
  std::string text_;
  std::size_t drawn_length_ = 0;  // columns that now hold something
};

// "0:07", "12:34", "1:02:03"; fractions of a second are dropped.
std::string format_duration(double seconds);

}  // namespace halftone::report
