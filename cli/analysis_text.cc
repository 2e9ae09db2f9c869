#include <fmt/format.h>

#include <cmath>

#include "cli/analysis_output.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

std::string percent(double part) { return fmt::format("{:.2f} %", 100.0 * part); }

std::string bits_of(const AnalysisResult& result, const analysis::MatchedLayer& layer) {
  std::string text = fmt::format("w{}", layer.bits);
  if (layer.input) text += fmt::format("a{}", result.models.activations[*layer.input].params.format.bits);
  return text;
}

std::vector<report::Table::Column> columns_of(bool accuracy) {
  using Align = report::Table::Align;
  std::vector<report::Table::Column> columns{{"layer"}, {"bits"}};
  for (const char* title : {"SQNR dB", "cosine", "saturated", "range used", "weights dB"})
    columns.push_back({title, Align::right});
  if (accuracy) columns.push_back({"accuracy lost alone", Align::right});
  for (const char* title : {"output error alone", "weights", "activation", "bias", "requantization"})
    columns.push_back({title, Align::right});
  return columns;
}

void print_layers(const AnalysisResult& result) {
  const bool accuracy = result.harm.real_accuracy.has_value();
  report::Table table(columns_of(accuracy));
  for (std::size_t i = 0; i < result.models.layers.size(); ++i) {
    const analysis::MatchedLayer& layer = result.models.layers[i];
    const analysis::LayerHarm& harm = result.harm.layers[i];
    const analysis::SignalSums& signal = output_signal(result, i);
    const auto* output = layer.output ? &result.errors.activations[*layer.output] : nullptr;
    std::vector<std::string> cells{layer.name,
                                   bits_of(result, layer),
                                   decibels(signal.sqnr()),
                                   fmt::format("{:.4f}", signal.cosine()),
                                   output == nullptr ? "" : percent(output->saturation()),
                                   output == nullptr ? "" : fmt::format("{:.0f} %", 100.0 * output->used),
                                   decibels(result.errors.weights[i].signal.sqnr())};
    if (accuracy) cells.push_back(fmt::format("{:.2f}", harm.whole.accuracy_drop.value_or(0.0)));
    for (const analysis::Harm* part :
         {&harm.whole, &harm.weights, &harm.activation, &harm.bias, &harm.requantization})
      cells.push_back(percent(part->output_error));
    table.add_row(cells);
  }
  fmt::print("{}", table.text());
}

void print_ranking(const AnalysisResult& result) {
  fmt::print("\nwhat to try next, the worst layer first:\n");
  for (std::size_t i = 0; i < result.ranking.size(); ++i) {
    const analysis::RankedLayer& ranked = result.ranking[i];
    fmt::print("{:3}. {}  {}\n", i + 1, result.models.layers[ranked.layer].name,
               harm_text(result.harm.layers[ranked.layer].whole));
    for (const analysis::Advice& advice : ranked.advice) fmt::print("       {}\n", advice_text(advice));
  }
}

}  // namespace

const analysis::SignalSums& output_signal(const AnalysisResult& result, std::size_t layer) {
  const auto& output = result.models.layers[layer].output;
  return output ? result.errors.activations[*output].signal : result.errors.results[layer].signal;
}

std::string harm_text(const analysis::Harm& harm) {
  std::string text = "output error " + percent(harm.output_error);
  if (harm.accuracy_drop) text += fmt::format(", accuracy {:+.2f} points", 0.0 - *harm.accuracy_drop);
  return text;
}

std::string decibels(double sqnr) {
  if (std::isinf(sqnr) && sqnr > 0.0) return "exact";
  const std::string text = fmt::format("{:.1f}", sqnr);
  return text == "-0.0" ? "0.0" : text;
}

std::string advised_options(const analysis::Advice& advice) {
  using analysis::Remedy;
  const std::string bits = fmt::format("w{}", advice.weight_bits) +
                           (advice.activation_bits > 0 ? fmt::format("a{}", advice.activation_bits) : "");
  switch (advice.remedy) {
    case Remedy::nothing:
      return "";
    case Remedy::channel_scales:
      return "--granularity channel";
    case Remedy::clip_weights:
      return "--weight-observer mse";
    case Remedy::round_by_results:
      return "--adaround";
    case Remedy::more_weight_bits:
    case Remedy::more_activation_bits:
      return (advice.first_last ? "--first-last " : "--bits ") + bits;
    case Remedy::narrower_activations:
      return "--observer mse or --observer percentile";
    case Remedy::wider_activations:
      return "--observer minmax, or more --calibration-samples";
    case Remedy::correct_bias:
      return "--correct-bias";
  }
  return "";
}

std::string advice_text(const analysis::Advice& advice) {
  const std::string options = advised_options(advice);
  return (options.empty() ? "nothing" : options) + ": " + advice.reason;
}

std::string summary_line(const AnalysisResult& result) {
  const analysis::Sensitivity& harm = result.harm;
  std::string text;
  if (harm.real_accuracy && harm.quantized_accuracy)
    text = fmt::format("accuracy {:.2f} % float, {:.2f} % quantized (simulated); ", *harm.real_accuracy,
                       *harm.quantized_accuracy);
  return text + fmt::format("output error of the whole network {}; {} samples of {}",
                            percent(harm.network.output_error), report::format_count(harm.samples),
                            result.data);
}

void print_analysis(const AnalysisResult& result) {
  print_layers(result);
  print_ranking(result);
  fmt::print("\n{}\n", summary_line(result));
}

}  // namespace halftone::cli
