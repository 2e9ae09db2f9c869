// Reasons why samples are unfit to choose ranges on.
#pragma once

#include <string>
#include <vector>

#include "halftone/calibration/batches.h"
#include "halftone/calibration/calibrate.h"

namespace halftone::analysis {

inline constexpr std::int64_t kFewSamples = 32;    // fewer say little of a range
inline constexpr double kOutlierShare = 0.99;      // of a range that one sample holds alone

struct Doubt {
  std::string where;  // a value, or the data set
  std::string what;
};

// Few samples; an input, which `seen` has, that is one number throughout, or the same in every sample.
std::vector<Doubt> doubts_of_samples(const calibration::Samples& samples, const calibration::StatisticsTable& seen);

// Values of which all samples gave one number, and values of which one sample alone gave kOutlierShare or more of the
// range (with 0 in it): with the sample and the range without it. The network runs again for those that look so.
// `graph` is the network that `seen` is of.
std::vector<Doubt> doubts_of_values(const ir::Graph& graph, const calibration::Samples& samples, const calibration::StatisticsTable& seen,
                                    const calibration::BatchOptions& options, const calibration::MakeExecutor& make_executor);

}  // namespace halftone::analysis
