// Parts of a value that share its scale with much wider ones, so that few of its steps are left to them.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "halftone/calibration/calibrate.h"
#include "halftone/quant/parameters.h"

namespace halftone::analysis {

struct LostPart {
  std::string value;    // that has the scale
  ir::ValueId scale_class = ir::kNoValue;  // quant::Plan's
  std::string part;     // an input of the Concat that makes it; empty: channels are lost
  std::int64_t lost = 0;      // channels
  std::int64_t channels = 0;  // all that are not constant
  numeric::Range range;    // of the part, or of the lost channel with the fewest steps
  numeric::Range whole;    // of the value
  double step = 0.0;       // the scale
  bool of_output = false;  // the network's outputs have this scale

  double steps() const { return (range.hi - range.lo) / step; }
};

// Inputs of a Concat whose range, as calibration saw it, is less than kEnoughSteps steps wide, or in formats of few bits
// less than a 16th of all steps. Parts that are one number throughout are not lost.
inline constexpr double kEnoughSteps = 8.0;
std::vector<LostPart> lost_parts(const ir::Graph& graph, const quant::Parameters& parameters,
                                 const calibration::StatisticsTable& seen);

// Whether the network's outputs, or what a float end takes, have the scale of this value.
bool has_output_scale(const ir::Graph& graph, ir::ValueId id);

// The smallest and the largest number of each channel of a network's outputs, on a few of the samples that calibration runs: as
// many as have some 32,768 inputs in all, but 2 to 8. Channels are dimension 1; of values with two or three dimensions also the
// last.
class ChannelRanges {
 public:
  using Ranges = std::vector<numeric::Range>;

  // `names` are those of the outputs; `samples` as calibration counts them, each with so many inputs.
  ChannelRanges(std::vector<std::string> names, std::int64_t samples, std::int64_t inputs_a_sample);

  void see(std::int64_t sample, const ir::Watched& watched);  // from any thread

  // By the value's name and the dimension.
  const std::map<std::pair<std::string, std::size_t>, Ranges>& ranges() const { return ranges_; }

 private:
  std::vector<std::string> names_;
  std::int64_t every_;  // sample is looked at
  std::mutex mutex_;
  std::map<std::pair<std::string, std::size_t>, Ranges> ranges_;
};

// Values of which most channels that are not constant are as narrow as lost_parts() has it.
std::vector<LostPart> lost_channels(const ir::Graph& graph, const quant::Parameters& parameters, const ChannelRanges& seen);

}  // namespace halftone::analysis
