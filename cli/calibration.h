// Calibrating a network: shared by the commands that do.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/data_options.h"
#include "halftone/analysis/lost_parts.h"
#include "halftone/analysis/preparation_trials.h"
#include "halftone/calibration/calibrate.h"
#include "halftone/ptq/stages.h"
#include "halftone/quant/calibration_file.h"

namespace halftone::cli {

inline constexpr std::int64_t kCalibrationSamples = 1024;

// Looks at the samples while calibration runs them, so that doubts about a result cost no runs of their own.
struct Looks {
  std::optional<analysis::ChannelRanges> channels;
  std::optional<analysis::FirstLook> classes;  // of the network's first output, where calibration sees it

  std::optional<double> right() const { return classes ? classes->percent() : std::nullopt; }
};

// The samples for each stage of the road, under a progress line headed by the stage's title, or by `title`. Calibration looks
// at `looks`. Empty where there are no samples, which outlive it.
ptq::RunsFor runs_for(const calibration::Samples& samples, const DataOptions& data, Looks* looks = nullptr,
                      const std::string& title = "");

// Part `index` of `count`, from 1.
struct Shard {
  std::int64_t index = 1;
  std::int64_t count = 1;
};

// Statistics of a part of the samples, and which samples they are.
quant::CalibrationFile calibrate_part(const ir::Graph& graph, const calibration::Samples& samples, const DataOptions& data,
                                      const Shard& shard, Looks* looks = nullptr);

// Statistics of all of them.
calibration::StatisticsTable calibrate(const ir::Graph& graph, const calibration::Samples& samples, const DataOptions& data,
                                 Looks* looks = nullptr);

}  // namespace halftone::cli
