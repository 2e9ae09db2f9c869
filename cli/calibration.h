// Calibrating a network: shared by the commands that do.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/data_options.h"
#include "halftone/analysis/lost_parts.h"
#include "halftone/analysis/preparation_trials.h"
#include "halftone/quant/calibrate.h"
#include "halftone/quant/calibration_file.h"

namespace halftone::cli {

inline constexpr std::int64_t kCalibrationSamples = 1024;

// Runs `work` with the samples under a progress line.
void with_samples(const analysis::Samples& samples, const DataOptions& data, const std::string& title,
                  const std::function<void(const quant::SampleSource&, const quant::CalibrationOptions&)>& work);

// Looks at the samples while calibration runs them, so that doubts about a result cost no runs of their own.
struct Looks {
  std::optional<analysis::ChannelRanges> channels;
  std::optional<analysis::FirstLook> classes;  // of the network's first output, where calibration sees it
};

// Part `index` of `count`, from 1.
struct Shard {
  std::int64_t index = 1;
  std::int64_t count = 1;
};

// What a part of the samples shows, and which they are.
quant::CalibrationFile calibrate_part(const ir::Graph& graph, const analysis::Samples& samples, const DataOptions& data,
                                      const Shard& shard, Looks* looks = nullptr);

// What all of them show.
quant::StatisticsTable calibrate(const ir::Graph& graph, const analysis::Samples& samples, const DataOptions& data,
                                 Looks* looks = nullptr);

}  // namespace halftone::cli
