#include "cli/analysis_output.h"

#include <nlohmann/json.hpp>

#include "halftone/analysis/spread.h"

namespace halftone::cli {
namespace {

nlohmann::json to_json(const numeric::Range& range) { return {range.lo, range.hi}; }

// Numbers that are not finite become null: the SQNR of what has no error.
nlohmann::json to_json(const analysis::SignalSums& signal) {
  return {{"sqnr_db", signal.sqnr()},
          {"cosine", signal.cosine()},
          {"relative_rms_error", signal.relative_rms()},
          {"count", signal.count}};
}

nlohmann::json to_json(const analysis::TensorError& tensor) {
  const analysis::Spread spread = analysis::spread_of(tensor.seen);
  const analysis::Bins bins = analysis::reduced(tensor.seen);
  nlohmann::json out = to_json(tensor.signal);
  out.update({{"name", tensor.name},
              {"format", numeric::name_of(tensor.params.format)},
              {"scales", tensor.params.affine.size()},
              {"saturated", tensor.saturation()},
              {"range_used", tensor.used},
              {"clipped_share_of_error", tensor.clipped_share()},
              {"range", to_json(spread.range)},
              {"mean", spread.mean},
              {"sigma", spread.sigma},
              {"three_sigma", to_json(spread.three_sigma())},
              {"range_to_three_sigma", spread.ratio()},
              {"clip", to_json(tensor.clip)},
              {"worst_channel", worst_channel_json(tensor.channels.worst())},
              {"histogram", {{"lo", bins.lo}, {"hi", bins.hi}, {"counts", bins.counts}}}});
  return out;
}

nlohmann::json to_json(const analysis::Harm& harm) {
  nlohmann::json out{{"output_error", harm.output_error}};
  if (harm.accuracy_drop) out["accuracy_drop"] = *harm.accuracy_drop;
  if (harm.worst) out["worst_channel"] = worst_channel_json(harm.worst);
  return out;
}

nlohmann::json to_json(const analysis::LayerHarm& harm) {
  nlohmann::json out = to_json(harm.whole);
  out["weights"] = to_json(harm.weights);
  out["activation"] = to_json(harm.activation);
  out["bias"] = to_json(harm.bias);
  out["requantization"] = to_json(harm.requantization);
  return out;
}

nlohmann::json layer_json(const AnalysisResult& result, std::size_t i) {
  const analysis::MatchedLayer& layer = result.models.layers[i];
  const auto name_of = [&](const std::optional<std::size_t>& activation) {
    return activation ? nlohmann::json(result.models.activations[*activation].name) : nlohmann::json();
  };
  nlohmann::json weights = to_json(result.errors.weights[i]);
  weights["bits"] = layer.bits;
  return {{"name", layer.name},
          {"op", ir::name_of(result.models.real.nodes[layer.node].op)},
          {"input", name_of(layer.input)},
          {"output", name_of(layer.output)},
          {"signal", to_json(output_signal(result, i))},
          {"mean_error_share", result.errors.results[i].mean_share()},
          {"weights", weights},
          {"harm", to_json(result.harm.layers[i])}};
}

nlohmann::json ranking_json(const AnalysisResult& result) {
  nlohmann::json out = nlohmann::json::array();
  for (const analysis::RankedLayer& ranked : result.ranking) {
    nlohmann::json advice = nlohmann::json::array();
    for (const analysis::Advice& each : ranked.advice)
      advice.push_back({{"options", advised_options(each)}, {"reason", each.reason}});
    out.push_back({{"layer", result.models.layers[ranked.layer].name},
                   {"worst_part", analysis::name_of(ranked.worst)},
                   {"harm", to_json(result.harm.layers[ranked.layer].whole)},
                   {"advice", advice}});
  }
  return out;
}

}  // namespace

nlohmann::json worst_channel_json(const std::optional<analysis::ChannelError>& worst) {
  if (!worst) return nullptr;
  return {{"dimension", worst->axis}, {"index", worst->index}, {"relative_error", worst->relative}};
}

nlohmann::json analysis_json(const AnalysisResult& result) {
  nlohmann::json out{{"float", result.real},
                     {"quantized", result.quantized},
                     {"data", result.data},
                     {"preparation", result.preparation},
                     {"warnings", result.warnings},
                     {"samples", result.harm.samples},
                     {"harm", to_json(result.harm.network)},
                     {"layers", nlohmann::json::array()},
                     {"activations", nlohmann::json::array()},
                     {"ranking", ranking_json(result)}};
  if (result.harm.real_accuracy) {
    out["float_accuracy"] = *result.harm.real_accuracy;
    out["quantized_accuracy"] = *result.harm.quantized_accuracy;
  }
  out["lost_channels"] = nlohmann::json::array();
  for (const LostValue& each : lost_values(result))
    out["lost_channels"].push_back({{"value", each.value}, {"worst_channel", worst_channel_json(each.error)}, {"remedy", each.remedy}});
  for (std::size_t i = 0; i < result.models.layers.size(); ++i)
    out["layers"].push_back(layer_json(result, i));
  for (const analysis::TensorError& tensor : result.errors.activations)
    out["activations"].push_back(to_json(tensor));
  return out;
}

}  // namespace halftone::cli
