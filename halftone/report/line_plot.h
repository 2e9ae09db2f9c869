// A curve of measured points as an SVG picture.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace halftone::report {

struct LinePlot {
  struct Point {
    double x = 0.0;
    double y = 0.0;
    double error = 0.0;  // drawn as a bar of twice this length
    std::string text;    // shown under the pointer
    bool marked = false;
  };
  std::string title;
  std::string x_title;
  std::string y_title;
  std::vector<Point> points;    // in the order of the curve; those that are not finite are left out
  std::optional<double> level;  // a broken line across at this y
};

// An <svg> element of its own, its axes over all points and the level. All text is escaped.
std::string line_plot(const LinePlot& plot);

}  // namespace halftone::report
