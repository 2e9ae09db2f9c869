// The page of `halftone analyze`: where a quantized network's accuracy went.
#pragma once

#include <string>
#include <vector>

#include "halftone/report/plot.h"

namespace halftone::report {

// A line of a list: what comes first is set apart.
struct AdvicePlot {
  std::string layer;
  std::string harm;
  std::vector<std::string> next;  // what to try, one a line
};

struct LayerPlot {
  std::string name;
  std::vector<double> harm;  // output error of weights, activation, bias and requantization alone
  std::string harm_text;     // of the whole layer
  double sqnr = 0.0;         // dB; infinite without any error
};

struct TensorPlot {
  std::string name;
  std::string kind;                // "activation", "weights"
  std::vector<std::string> facts;  // one a line
  HistogramPlot histogram;
};

struct AnalysisPage {
  std::string title;
  std::vector<std::string> summary;  // one a line
  std::vector<AdvicePlot> ranking;
  std::vector<LayerPlot> layers;
  std::vector<TensorPlot> tensors;
};

// One HTML document, well-formed as XML too, that needs no other file.
std::string analysis_page(const AnalysisPage& page);

}  // namespace halftone::report
