// How the channels of a float network's values are distributed over samples.
#pragma once

#include <vector>

#include "halftone/calibration/calibrate.h"

namespace halftone::calibration {

// Statistics of one value [N, C, …], its channels being dimension 1.
struct ChannelStatistics {
  std::int64_t count = 0;       // numbers seen of each channel
  std::vector<double> lo;       // the smallest, by channel
  std::vector<double> hi;
  std::vector<double> sum;
  std::vector<double> squares;  // Σx²

  // Throws InputError for NaN or infinity.
  void observe(const Tensor& value);
  // That of both together; sums are rounded in the order in which parts are merged.
  void merge(const ChannelStatistics& other);

  double largest(std::size_t c) const;    // max|x|
  double mean(std::size_t c) const;       // Σx/n
  double deviation(std::size_t c) const;  // √(Σx²/n − mean²)

  bool operator==(const ChannelStatistics&) const = default;
};

// Statistics of the graph's values `ids`, in their order, each of two dimensions or more. The same to the last bit for
// any number of threads. Throws InputError naming a value that is not finite.
std::vector<ChannelStatistics> measure_channels(const ir::Graph& graph, const std::vector<ir::ValueId>& ids,
                                                const Runs& runs);

}  // namespace halftone::calibration
