#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "cli/analysis_output.h"
#include "cli/outcome.h"
#include "cli/warnings.h"
#include "halftone/analysis/lost_parts.h"
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
  print_line("");
  print_line("what to try next, the worst layer first:");
  for (std::size_t i = 0; i < result.ranking.size(); ++i) {
    const analysis::RankedLayer& ranked = result.ranking[i];
    print_line("{:3}. {}  {}", i + 1, result.models.layers[ranked.layer].name,
               harm_text(result.harm.layers[ranked.layer].whole));
    for (const analysis::Advice& advice : ranked.advice) print_line("       {}", advice_text(advice));
  }
}

void print_lost(const AnalysisResult& result) {
  const std::vector<LostValue> lost = lost_values(result);
  if (lost.empty()) return;
  print_line("");
  print_line("channels of which nothing is left (error beside their own spread), in the quantized network:");
  for (const LostValue& each : lost)
    print_line("  {}  {}; more bits: {}", each.value, analysis::describe(each.error), each.remedy);
}

}  // namespace

std::vector<LostValue> lost_values(const AnalysisResult& result) {
  std::vector<LostValue> lost;
  for (std::size_t i = 0; i < result.errors.activations.size(); ++i) {
    const auto worst = result.errors.activations[i].channels.worst();
    if (!worst || worst->relative < analysis::kLostChannel) continue;
    const analysis::MatchedActivation& matched = result.models.activations[i];
    lost.push_back({matched.name, *worst,
                    more_bits_option(analysis::has_output_scale(result.models.real, matched.value), matched.name)});
  }
  std::ranges::stable_sort(lost, std::greater(), [](const LostValue& each) { return each.error.relative; });
  return lost;
}

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
  text += fmt::format("output error of the whole network {}", percent(harm.network.output_error));
  if (harm.network.worst) text += fmt::format(", its worst channel {}", analysis::describe(*harm.network.worst));
  return text + fmt::format("; {} samples of {}", report::format_count(harm.samples), result.data);
}

void print_analysis(const AnalysisResult& result) {
  print_layers(result);
  print_ranking(result);
  print_lost(result);
  print_line("");
  print_line("{}", result.preparation_text);
  print_line("{}", summary_line(result));
}

}  // namespace halftone::cli
