// The findings of `halftone analyze`, as text, as JSON and as a page.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "halftone/analysis/advice.h"
#include "halftone/report/analysis_page.h"

namespace halftone::cli {

struct AnalysisResult {
  std::string real;  // names of the files
  std::string quantized;
  std::string data;
  std::string preparation_text;  // of pixels and labels
  nlohmann::json preparation;
  std::vector<std::string> warnings;
  analysis::MatchedModels models;
  analysis::LayerErrors errors;
  analysis::Sensitivity harm;
  std::vector<analysis::RankedLayer> ranking;
};

// Signal and cosine of a layer's output: as it is quantized, or as it is where it stays float.
const analysis::SignalSums& output_signal(const AnalysisResult& result, std::size_t layer);

// "4.31 %", with the drop in accuracy where it is known.
std::string harm_text(const analysis::Harm& harm);
// "37.1", "exact".
std::string decibels(double sqnr);
// "--granularity channel: its weights do most of its harm, with one scale for all channels".
std::string advice_text(const analysis::Advice& advice);
// The options alone; empty when nothing is to be done.
std::string advised_options(const analysis::Advice& advice);
struct LostValue {
  std::string value;
  analysis::ChannelError error;
  std::string remedy;  // the option or rule that gives it more bits
};
// Values of which the quantized network has lost a channel, the worst first.
std::vector<LostValue> lost_values(const AnalysisResult& result);

// One line: accuracies where they are known, and how far the quantized network's output lies.
std::string summary_line(const AnalysisResult& result);

void print_analysis(const AnalysisResult& result);
// null where there is none.
nlohmann::json worst_channel_json(const std::optional<analysis::ChannelError>& worst);
nlohmann::json analysis_json(const AnalysisResult& result);
report::AnalysisPage page_of(const AnalysisResult& result);

}  // namespace halftone::cli
