#include "halftone/report/analysis_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/report/markup.h"

namespace halftone::report {
namespace {

constexpr std::string_view kStyle =
    "body{font:15px/1.45 system-ui,sans-serif;color:#222;background:#fff;max-width:1080px;margin:2em auto;"
    "padding:0 1em}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}"
    "table{border-collapse:collapse}td,th{text-align:left;vertical-align:top;padding:.25em .9em .25em 0;"
    "border-bottom:1px solid #ddd}.tensors{display:flex;flex-wrap:wrap;gap:1em}"
    ".tensor{border:1px solid #ddd;border-radius:4px;padding:.5em .7em;width:322px}"
    ".tensor h3{font-size:.95em;margin:0;overflow-wrap:anywhere}.note{color:#666;font-size:.88em}"
    "code{white-space:nowrap}\n";

std::string paragraph(std::string_view text, std::string_view kind) {
  return fmt::format("<p class=\"{}\">{}</p>\n", kind, escaped(text));
}

std::string summary(const AnalysisPage& page) {
  std::string out;
  for (const std::string& text : page.summary) out += fmt::format("<p>{}</p>\n", escaped(text));
  return out;
}

std::string ranking(const std::vector<AdvicePlot>& rows) {
  std::string out =
      "<table>\n<tr><th></th><th>layer</th><th>its own harm</th><th>what to try next</th></tr>\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string next;
    for (const std::string& text : rows[i].next) next += (next.empty() ? "" : "<br/>") + escaped(text);
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", i + 1,
                       escaped(rows[i].layer), escaped(rows[i].harm), next);
  }
  return out + "</table>\n";
}

std::string harm_plot(const std::vector<LayerPlot>& layers) {
  std::vector<Bar> bars;
  for (const LayerPlot& layer : layers) bars.push_back({layer.name, layer.harm, layer.harm_text});
  return bar_plot(bars, {"weights", "activation", "bias", "requantization"});
}

// A layer without any error gets the longest bar.
std::string sqnr_plot(const std::vector<LayerPlot>& layers) {
  double most = 1.0;
  for (const LayerPlot& layer : layers)
    if (std::isfinite(layer.sqnr)) most = std::max(most, layer.sqnr);
  std::vector<Bar> bars;
  for (const LayerPlot& layer : layers) {
    const bool exact = std::isinf(layer.sqnr) && layer.sqnr > 0.0;
    bars.push_back(
        {layer.name, {exact ? most : layer.sqnr}, exact ? "exact" : fmt::format("{:.1f} dB", layer.sqnr)});
  }
  return bar_plot(bars, {});
}

std::string tensors(const std::vector<TensorPlot>& all) {
  std::string out = "<div class=\"tensors\">\n";
  for (const TensorPlot& tensor : all) {
    out += fmt::format("<div class=\"tensor\"><h3>{}</h3>\n", escaped(tensor.name));
    out += paragraph(tensor.kind, "note") + histogram_plot(tensor.histogram);
    for (const std::string& fact : tensor.facts) out += paragraph(fact, "note");
    out += "</div>\n";
  }
  return out + "</div>\n";
}

std::string section(std::string_view title, std::string_view what, std::string_view body) {
  return fmt::format("<h2>{}</h2>\n{}{}", escaped(title), paragraph(what, "note"), body);
}

}  // namespace

std::string analysis_page(const AnalysisPage& page) {
  const std::string title = escaped(page.title);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>"
      "<meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width\"/>"
      "<title>{}</title>\n<style>{}{}.tensor .note{{margin:.1em 0}}</style></head>\n<body>\n<h1>{}</h1>\n",
      title, kStyle, kPlotStyle, title);
  out += summary(page);
  out += section("Where to begin", "Layers by the harm each does alone, the worst first.",
                 ranking(page.ranking));
  out += section("Harm of each layer alone",
                 "Relative RMS error of the network's output when nothing else is quantized than the layer's "
                 "weights, its input, its bias, or its output. In the order of the network.",
                 harm_plot(page.layers));
  out +=
      section("Signal to quantization noise of each layer's output",
              "In the quantized network, with the errors of all layers before it.", sqnr_plot(page.layers));
  out += section("Every tensor",
                 "Histograms of the float values, counts on a logarithmic scale; red: the range the integers "
                 "represent; shaded: mean ± 3 sigma.",
                 tensors(page.tensors));
  return out + "</body>\n</html>\n";
}

}  // namespace halftone::report
