// Plots as inline SVG, well-formed XML with nothing from outside. Their colours are classes (see kPlotStyle).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::report {

// Lines for the style sheet of a page that shows plots.
extern const std::string_view kPlotStyle;

// One line of a bar plot: parts stacked one behind the other, 8 kinds at most.
struct Bar {
  std::string label;
  std::vector<double> parts;  // ≥ 0; negative ones and those that are not finite are drawn as 0
  std::string text;           // behind the bar
};

// Horizontal bars, all on one scale from 0. `kinds` name the parts in a legend; empty: no legend.
std::string bar_plot(const std::vector<Bar>& bars, const std::vector<std::string>& kinds);

struct Interval {
  double lo = 0.0;
  double hi = 0.0;
};

// Bins of equal width from lo to hi, their counts on a logarithmic scale.
struct HistogramPlot {
  Interval range;
  std::vector<std::int64_t> counts;
  Interval clip;   // two lines
  Interval sigma;  // a band behind the bins
};

// Over all that is to be seen: bins and lines.
std::string histogram_plot(const HistogramPlot& histogram);

}  // namespace halftone::report
