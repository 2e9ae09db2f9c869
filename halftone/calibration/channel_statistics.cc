#include "halftone/calibration/channel_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"

namespace halftone::calibration {
namespace {

// Sums are added in the order of the parts, which therefore do not depend on the threads.
constexpr std::int64_t kParts = 64;

void observe(const std::vector<Tensor>& outputs, const ir::Graph& network, std::int64_t sample,
             std::vector<ChannelStatistics>& seen) {
  for (std::size_t i = 0; i < seen.size(); ++i) {
    try {
      seen[i].observe(outputs.at(i));
    } catch (const InputError& error) {
      throw InputError(network.value(network.outputs[i]).name, fmt::format("{} in sample {}", error.what(), sample));
    }
  }
}

}  // namespace

void ChannelStatistics::observe(const Tensor& value) {
  const auto channels = static_cast<std::size_t>(value.dim(1));
  if (count == 0) {
    lo.assign(channels, HUGE_VAL);
    hi.assign(channels, -HUGE_VAL);
    sum.assign(channels, 0.0);
    squares.assign(channels, 0.0);
  }
  const auto rows = static_cast<std::size_t>(value.dim(0));
  const auto numbers = value.data<float>();
  const std::size_t inner = channels * rows == 0 ? 0 : numbers.size() / (channels * rows);
  for (std::size_t plane = 0; plane < rows * channels; ++plane) {
    const std::size_t c = plane % channels;
    for (float number : numbers.subspan(plane * inner, inner)) {
      if (!std::isfinite(number)) throw InputError("calibrate", fmt::format("got {}, expected a finite number", number));
      const double x = number;
      lo[c] = std::min(lo[c], x);
      hi[c] = std::max(hi[c], x);
      sum[c] += x;
      squares[c] += x * x;
    }
  }
  count += static_cast<std::int64_t>(rows * inner);
}

void ChannelStatistics::merge(const ChannelStatistics& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  count += other.count;
  for (std::size_t c = 0; c < sum.size(); ++c) {
    lo[c] = std::min(lo[c], other.lo[c]);
    hi[c] = std::max(hi[c], other.hi[c]);
    sum[c] += other.sum[c];
    squares[c] += other.squares[c];
  }
}

double ChannelStatistics::largest(std::size_t c) const { return std::max(std::abs(lo[c]), std::abs(hi[c])); }

double ChannelStatistics::mean(std::size_t c) const { return sum[c] / static_cast<double>(count); }

double ChannelStatistics::deviation(std::size_t c) const {
  return std::sqrt(std::max(0.0, squares[c] / static_cast<double>(count) - mean(c) * mean(c)));
}

std::vector<ChannelStatistics> measure_channels(const ir::Graph& graph, const std::vector<ir::ValueId>& ids,
                                                const Runs& runs) {
  if (ids.empty()) return {};
  const SampleSource& samples = runs.samples;
  const CalibrationOptions& options = runs.options;
  if (samples.count == 0) throw InputError("calibrate", "no samples");
  ir::Graph network = graph;
  network.outputs = ids;
  network = ir::without_dead_nodes(network);
  const auto executor = runs.make_executor(network);
  const std::int64_t batches = (samples.count + options.batch_size - 1) / options.batch_size;
  const std::int64_t parts = std::min(batches, kParts);
  std::vector<std::vector<ChannelStatistics>> seen(static_cast<std::size_t>(parts));
  std::atomic<std::int64_t> done{0};
  parallel_for(parts, options.threads, [&](std::int64_t part) {
    std::vector<ChannelStatistics>& own = seen[static_cast<std::size_t>(part)];
    own.resize(ids.size());
    for (std::int64_t batch = part * batches / parts; batch < (part + 1) * batches / parts; ++batch) {
      const std::int64_t first = batch * options.batch_size;
      observe(executor->run(samples.inputs(first, std::min(samples.count, first + options.batch_size))), network,
              samples.first_sample + batch, own);
      if (options.progress) options.progress(static_cast<double>(++done) / static_cast<double>(batches));
    }
  });
  for (std::size_t part = 1; part < seen.size(); ++part)
    for (std::size_t i = 0; i < ids.size(); ++i) seen[0][i].merge(seen[part][i]);
  return seen[0];
}

}  // namespace halftone::calibration
