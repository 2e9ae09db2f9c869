// Calibrating a network: shared by the commands that do.
#pragma once

#include <functional>
#include <string>

#include "cli/data_options.h"
#include "halftone/quant/calibrate.h"
#include "halftone/quant/calibration_file.h"

namespace halftone::cli {

inline constexpr std::int64_t kCalibrationSamples = 1024;

// Runs `work` with the samples under a progress line.
void with_samples(const analysis::Samples& samples, const DataOptions& data, const std::string& title,
                  const std::function<void(const quant::SampleSource&, const quant::CalibrationOptions&)>& work);

// Part `index` of `count`, from 1.
struct Shard {
  std::int64_t index = 1;
  std::int64_t count = 1;
};

// What a part of the samples shows, and which they are.
quant::CalibrationFile calibrate_part(const ir::Graph& graph, const analysis::Samples& samples, const DataOptions& data,
                                      const Shard& shard);

// What all of them show.
quant::StatisticsTable calibrate(const ir::Graph& graph, const analysis::Samples& samples, const DataOptions& data);

}  // namespace halftone::cli
