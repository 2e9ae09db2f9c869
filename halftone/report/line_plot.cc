#include "halftone/report/line_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

// Numbers from lo to hi on `length` pixels.
struct Axis {
  double lo = 0.0;
  double hi = 1.0;
  double at(double value, double length) const { return (value - lo) / (hi - lo) * length; }
};

// A step of 1, 2 or 5 times a power of ten.
double round_step(double wanted) {
  const double power = std::pow(10.0, std::floor(std::log10(wanted)));
  for (double factor : {1.0, 2.0, 5.0})
    if (factor * power >= wanted) return factor * power;
  return 10.0 * power;
}

Axis axis_over(double lo, double hi) {
  if (!(hi > lo)) hi = lo + 1.0;
  const double step = round_step((hi - lo) / kTicks);
  return {std::floor(lo / step) * step, std::ceil(hi / step) * step};
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

class Drawing {
 public:
  explicit Drawing(const LinePlot& plot) : plot_(plot) {
    for (const LinePlot::Point& point : plot.points)
      if (std::isfinite(point.x) && std::isfinite(point.y) && std::isfinite(point.error))
        points_.push_back(point);
    double x_lo = 0.0, x_hi = 0.0, y_lo = 0.0, y_hi = plot.level.value_or(0.0);
    for (const LinePlot::Point& point : points_) {
      x_hi = std::max(x_hi, point.x);
      x_lo = std::min(x_lo, point.x);
      y_lo = std::min(y_lo, point.y - point.error);
      y_hi = std::max(y_hi, point.y + point.error);
    }
    x_ = axis_over(x_lo, x_hi);
    y_ = axis_over(y_lo, y_hi);
  }

  std::string svg() const {
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "role=\"img\" font-family=\"sans-serif\" font-size=\"13\">\n<title>{2}</title>\n",
        coordinate(kWidth), coordinate(kHeight), escaped(plot_.title));
    out += text_at(12, 22, "start", plot_.title, " font-weight=\"bold\"") + axes();
    if (plot_.level)
      out += line(kLeft, y(*plot_.level), kLeft + kWide, y(*plot_.level),
                  "stroke=\"#d9480f\" stroke-dasharray=\"6 4\"");
    std::string path;
    for (const LinePlot::Point& point : points_)
      path += fmt::format("{}{},{}", path.empty() ? "" : " ", coordinate(x(point.x)), coordinate(y(point.y)));
    out += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"#0b3c7d\" stroke-width=\"1.5\"/>\n",
                       path);
    for (const LinePlot::Point& point : points_) out += dot(point);
    return out + "</svg>\n";
  }

 private:
  double x(double value) const { return kLeft + x_.at(value, kWide); }
  double y(double value) const { return kTop + kHigh - y_.at(value, kHigh); }

  std::string axes() const {
    constexpr std::string_view kGrid = "stroke=\"#ddd\"";
    std::string out;
    for (double step = round_step((x_.hi - x_.lo) / kTicks), v = x_.lo; v < x_.hi + step / 2; v += step)
      out += line(x(v), kTop, x(v), kTop + kHigh, kGrid) +
             text_at(x(v), kTop + kHigh + 18, "middle", fmt::format("{:.6g}", v));
    for (double step = round_step((y_.hi - y_.lo) / kTicks), v = y_.lo; v < y_.hi + step / 2; v += step)
      out += line(kLeft, y(v), kLeft + kWide, y(v), kGrid) +
             text_at(kLeft - 8, y(v) + 4, "end", fmt::format("{:.6g}", std::fabs(v) < step / 1e6 ? 0.0 : v));
    return out + text_at(kLeft + kWide / 2, kTop + kHigh + 42, "middle", plot_.x_title) +
           text_at(18, kTop + kHigh / 2, "middle", plot_.y_title,
                   fmt::format(" transform=\"rotate(-90 18 {})\"", coordinate(kTop + kHigh / 2)));
  }

  std::string dot(const LinePlot::Point& point) const {
    const char* colour = point.marked ? "#d9480f" : "#0b3c7d";
    return fmt::format("<g><title>{}</title>", escaped(point.text)) +
           line(x(point.x), y(point.y - point.error), x(point.x), y(point.y + point.error),
                fmt::format("stroke=\"{}\"", colour)) +
           fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/></g>\n", coordinate(x(point.x)),
                       coordinate(y(point.y)), point.marked ? 6 : 4, colour);
  }

  const LinePlot& plot_;
  std::vector<LinePlot::Point> points_;
  Axis x_;
  Axis y_;
};

}  // namespace

std::string line_plot(const LinePlot& plot) { return Drawing(plot).svg(); }

}  // namespace halftone::report
