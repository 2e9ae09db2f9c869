#include "halftone/report/line_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "halftone/report/markup.h"

namespace halftone::report {
namespace {

constexpr double kLeft = 70.0;
constexpr double kTop = 40.0;
constexpr double kWide = 560.0;
constexpr double kHigh = 300.0;
constexpr double kWidth = kLeft + kWide + 24.0;
constexpr double kHeight = kTop + kHigh + 54.0;
constexpr int kTicks = 5;

constexpr std::string_view kMarked = "#d9480f";
constexpr std::string_view kBroken = "stroke=\"#d9480f\" stroke-dasharray=\"6 4\"";

// After the last, from the first again.
std::string_view colour_of(std::size_t curve) {
  constexpr std::string_view kColours[] = {"#0b3c7d", "#2b8a3e", "#9c36b5", "#0c8599", "#846358", "#495057"};
  return kColours[curve % std::size(kColours)];
}

// The numbers that an axis has to show.
struct Range {
  double lo = std::numeric_limits<double>::infinity();
  double hi = -std::numeric_limits<double>::infinity();
  void add(double value) {
    if (!std::isfinite(value)) return;
    lo = std::min(lo, value);
    hi = std::max(hi, value);
  }
};

// Numbers from lo to hi on `length` pixels, both multiples of the step between the numbers written beside it.
struct Axis {
  double lo = 0.0;
  double hi = 1.0;
  double step = 0.2;
  double at(double value, double length) const { return (value - lo) / (hi - lo) * length; }
  int steps() const { return static_cast<int>(std::lround((hi - lo) / step)); }
  // Without the last bits that would write 0 as 1e-17.
  double tick(int i) const {
    const double value = lo + step * i;
    return std::fabs(value) < step / 1e6 ? 0.0 : value;
  }
};

// A step of 1, 2 or 5 times a power of ten.
double round_step(double wanted) {
  const double power = std::pow(10.0, std::floor(std::log10(wanted)));
  for (double factor : {1.0, 2.0, 5.0})
    if (factor * power >= wanted) return factor * power;
  return 10.0 * power;
}

Axis axis_over(Range range, double least_step = 0.0) {
  if (!(range.lo <= range.hi) || !std::isfinite(range.hi - range.lo)) range = {0.0, 0.0};
  const double room = std::max(1e-9 * std::max(std::fabs(range.lo), std::fabs(range.hi)), 1e-200);
  if (!(range.hi - range.lo > room)) range.hi = range.lo + std::max(1.0, 1e3 * room);
  const double step = std::max(round_step((range.hi - range.lo) / kTicks), least_step);
  return {std::floor(range.lo / step) * step, std::ceil(range.hi / step) * step, step};
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text,
                    std::string_view more = "") {
  return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\"{}>{}</text>\n", coordinate(x), coordinate(y),
                     anchor, more, escaped(text));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view style) {
  return fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}/>\n", coordinate(x1), coordinate(y1),
                     coordinate(x2), coordinate(y2), style);
}

bool is_finite(const LinePlot::Point& point) {
  return std::isfinite(point.x) && std::isfinite(point.y) && std::isfinite(point.error);
}

// Names with a piece of their curve, one after the other, in as many lines as they take.
class Legend {
 public:
  explicit Legend(const std::vector<LinePlot::Curve>& curves) {
    if (std::ranges::all_of(curves, &std::string::empty, &LinePlot::Curve::name)) return;
    double x = kLeft;
    for (std::size_t i = 0; i < curves.size(); ++i) {
      const double length = kSample + 24.0 + kCharacter * static_cast<double>(curves[i].name.size());
      if (i > 0 && x + length > kWidth) {
        x = kLeft;
        height_ += kRow;
      }
      const double y = kHeight + height_ + 4.0;
      svg_ += line(x, y, x + kSample, y, fmt::format("stroke=\"{}\" stroke-width=\"3\"", colour_of(i))) +
              text_at(x + kSample + 6.0, y + 4.0, "start", curves[i].name);
      x += length;
    }
    height_ += kRow;
  }

  const std::string& svg() const { return svg_; }
  double height() const { return height_; }

 private:
  static constexpr double kSample = 20.0;
  static constexpr double kCharacter = 7.5;
  static constexpr double kRow = 20.0;
  std::string svg_;
  double height_ = 0.0;
};

class Drawing {
 public:
  explicit Drawing(const LinePlot& plot) : plot_(plot), legend_(plot.curves) {
    Range x, y;
    if (plot.with_zero) x = y = {0.0, 0.0};
    for (const LinePlot::Curve& curve : plot.curves)
      for (const LinePlot::Point& point : curve.points) {
        if (!is_finite(point)) continue;
        x.add(point.x);
        y.add(point.y - point.error);
        y.add(point.y + point.error);
      }
    if (plot.level) y.add(*plot.level);
    if (plot.mark) x.add(plot.mark->x);
    x_ = axis_over(x, plot.least_x_step);
    y_ = axis_over(y);
  }

  std::string svg() const {
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "role=\"img\" font-family=\"sans-serif\" font-size=\"13\">\n<title>{2}</title>\n",
        coordinate(kWidth), coordinate(kHeight + legend_.height()), escaped(plot_.title));
    out += text_at(12, 22, "start", plot_.title, " font-weight=\"bold\"") + axes();
    if (plot_.level) out += line(kLeft, y(*plot_.level), kLeft + kWide, y(*plot_.level), kBroken);
    if (plot_.mark) out += mark(*plot_.mark);
    for (std::size_t i = 0; i < plot_.curves.size(); ++i) out += curve(plot_.curves[i], colour_of(i));
    return out + legend_.svg() + "</svg>\n";
  }

 private:
  double x(double value) const { return kLeft + x_.at(value, kWide); }
  double y(double value) const { return kTop + kHigh - y_.at(value, kHigh); }

  std::string axes() const {
    const auto grid = [](const Axis& axis, double value) {
      return value == 0.0 && axis.lo < 0.0 && axis.hi > 0.0 ? "stroke=\"#999\"" : "stroke=\"#ddd\"";
    };
    std::string out;
    for (int i = 0; i <= x_.steps(); ++i) {
      const double v = x_.tick(i);
      out += line(x(v), kTop, x(v), kTop + kHigh, grid(x_, v)) +
             text_at(x(v), kTop + kHigh + 18, "middle", fmt::format("{:.6g}", v));
    }
    for (int i = 0; i <= y_.steps(); ++i) {
      const double v = y_.tick(i);
      out += line(kLeft, y(v), kLeft + kWide, y(v), grid(y_, v)) +
             text_at(kLeft - 8, y(v) + 4, "end", fmt::format("{:.6g}", v));
    }
    return out + text_at(kLeft + kWide / 2, kTop + kHigh + 42, "middle", plot_.x_title) +
           text_at(18, kTop + kHigh / 2, "middle", plot_.y_title,
                   fmt::format(" transform=\"rotate(-90 18 {})\"", coordinate(kTop + kHigh / 2)));
  }

  // The text on the side with more room.
  std::string mark(const LinePlot::Mark& mark) const {
    const double at = x(mark.x);
    const bool is_left = at < kLeft + kWide / 2;
    return line(at, kTop, at, kTop + kHigh, kBroken) +
           text_at(is_left ? at + 6 : at - 6, kTop + 14, is_left ? "start" : "end", mark.text);
  }

  std::string curve(const LinePlot::Curve& curve, std::string_view colour) const {
    std::string path;
    std::string dots;
    for (const LinePlot::Point& point : curve.points) {
      if (!is_finite(point)) continue;
      path += fmt::format("{}{},{}", path.empty() ? "" : " ", coordinate(x(point.x)), coordinate(y(point.y)));
      if (curve.dots) dots += dot(point, point.marked ? kMarked : colour);
    }
    return fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", path,
                       colour) +
           dots;
  }

  std::string dot(const LinePlot::Point& point, std::string_view colour) const {
    return fmt::format("<g><title>{}</title>", escaped(point.text)) +
           line(x(point.x), y(point.y - point.error), x(point.x), y(point.y + point.error),
                fmt::format("stroke=\"{}\"", colour)) +
           fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/></g>\n", coordinate(x(point.x)),
                       coordinate(y(point.y)), point.marked ? 6 : 4, colour);
  }

  const LinePlot& plot_;
  Legend legend_;
  Axis x_;
  Axis y_;
};

}  // namespace

std::string line_plot(const LinePlot& plot) { return Drawing(plot).svg(); }

}  // namespace halftone::report
