// Curves of measured points as an SVG picture.
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
  struct Curve {
    std::string name;           // in a legend below, unless no curve has one
    std::vector<Point> points;  // in the order of the curve; those that are not finite are left out
    bool dots = true;           // each point with its bar and text; otherwise the line alone
  };
  struct Mark {
    double x = 0.0;
    std::string text;
  };
  std::string title;
  std::string x_title;
  std::string y_title;
  std::vector<Curve> curves;
  std::optional<double> level;  // a broken line across at this y
  std::optional<Mark> mark;     // a broken line from top to bottom, its text beside it
  bool with_zero = true;        // axes reach 0 wherever the points lie; otherwise they fit what is drawn
  double least_x_step = 0.0;    // between numbers along x: 1 where x counts something
};

// An <svg> element of its own, its axes over all points, the level and the mark. All text is escaped.
std::string line_plot(const LinePlot& plot);

}  // namespace halftone::report
