#include <fmt/format.h>

#include "cli/analysis_output.h"
#include "halftone/analysis/spread.h"

namespace halftone::cli {
namespace {

report::TensorPlot tensor_plot(const analysis::TensorError& tensor, const std::string& kind) {
  const analysis::Spread spread = analysis::spread_of(tensor.seen);
  const analysis::Bins bins = analysis::reduced(tensor.seen);
  const numeric::Range sigma = spread.three_sigma();
  const auto interval = [](const numeric::Range& range) { return report::Interval{range.lo, range.hi}; };
  return {.name = tensor.name,
          .kind = fmt::format("{}, {}, {}", kind, numeric::name_of(tensor.params.format),
                              tensor.params.affine.size() == 1
                                  ? "one scale"
                                  : fmt::format("{} scales", tensor.params.affine.size())),
          .facts = {fmt::format("SQNR {}{}, cosine {:.4f}", decibels(tensor.signal.sqnr()),
                                tensor.signal.dd > 0.0 ? " dB" : "", tensor.signal.cosine()),
                    fmt::format("{:.2f} % saturated, {:.0f} % of the range used", 100.0 * tensor.saturation(),
                                100.0 * tensor.used),
                    fmt::format("range [{:.4g}, {:.4g}], {:.2f} times that of three sigma", spread.range.lo,
                                spread.range.hi, spread.ratio()),
                    fmt::format("three sigma [{:.4g}, {:.4g}], clip [{:.4g}, {:.4g}]", sigma.lo, sigma.hi,
                                tensor.clip.lo, tensor.clip.hi)},
          .histogram = {.range = {bins.lo, bins.hi},
                        .counts = bins.counts,
                        .clip = interval(tensor.clip),
                        .sigma = interval(sigma)}};
}

report::AdvicePlot advice_plot(const AnalysisResult& result, const analysis::RankedLayer& ranked) {
  report::AdvicePlot plot{.layer = result.models.layers[ranked.layer].name,
                          .harm = harm_text(result.harm.layers[ranked.layer].whole)};
  for (const analysis::Advice& advice : ranked.advice) plot.next.push_back(advice_text(advice));
  return plot;
}

report::LayerPlot layer_plot(const AnalysisResult& result, std::size_t i) {
  const analysis::LayerHarm& harm = result.harm.layers[i];
  return {.name = result.models.layers[i].name,
          .harm = {harm.weights.output_error, harm.activation.output_error, harm.bias.output_error,
                   harm.requantization.output_error},
          .harm_text = fmt::format("together {:.2f} %", 100.0 * harm.whole.output_error),
          .sqnr = output_signal(result, i).sqnr()};
}

}  // namespace

report::AnalysisPage page_of(const AnalysisResult& result) {
  report::AnalysisPage page{.title = fmt::format("{} against {}", result.quantized, result.real),
                            .summary = {summary_line(result)}};
  for (const analysis::RankedLayer& ranked : result.ranking)
    page.ranking.push_back(advice_plot(result, ranked));
  for (std::size_t i = 0; i < result.models.layers.size(); ++i) page.layers.push_back(layer_plot(result, i));
  for (const analysis::TensorError& tensor : result.errors.activations)
    page.tensors.push_back(tensor_plot(tensor, "activation"));
  for (const analysis::TensorError& tensor : result.errors.weights)
    page.tensors.push_back(tensor_plot(tensor, "weights"));
  return page;
}

}  // namespace halftone::cli
