#include "halftone/calibration/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "halftone/base/error.h"
#include "halftone/base/not_a_number.h"
#include "halftone/base/parallel_for.h"

namespace halftone::calibration {
namespace {

// Parts of the samples a thread takes: each keeps statistics of its own and merges them once.
constexpr std::int64_t kPartsPerThread = 4;

void observe(const ir::Executor& network, const std::vector<Tensor>& inputs, const std::vector<std::string>& names,
             std::int64_t sample, const CalibrationOptions& options, std::vector<Statistics>& seen) {
  const std::int64_t rows = inputs.empty() || inputs[0].rank() == 0 ? 1 : inputs[0].dim(0);
  const auto see = [&](const ir::Watched& value) {
    try {
      seen.at(value.output).observe(sample, value.elements, rows);
    } catch (const InputError& error) {
      throw InputError(names[value.output], fmt::format("{} in sample {}", error.what(), sample));
    }
    if (options.also) options.also(sample, value);
  };
  try {
    network.watch(inputs, see);
  } catch (const NotANumber& error) {
    throw error.in_rows_from(sample * rows);
  }
}

}  // namespace

SampleSource source_of(const Tensor& samples) {
  return {.count = samples.rank() == 0 ? 0 : samples.dim(0),
          .inputs = [samples](std::int64_t first, std::int64_t last) { return std::vector<Tensor>{samples.rows(first, last)}; }};
}

std::vector<std::string> output_names(const ir::Graph& graph) {
  std::vector<std::string> names;
  for (ir::ValueId id : graph.outputs) names.push_back(graph.value(id).name);
  return names;
}

StatisticsTable calibrate(const ir::Executor& network, const std::vector<std::string>& names,
                          const Tensor& samples, const CalibrationOptions& options) {
  const auto rows = [&](std::int64_t first, std::int64_t last) {
    const Tensor part = samples.rows(first, last);
    return std::vector<Tensor>{options.fixed_batch ? pad_rows(part, options.batch_size) : part};
  };
  return calibrate(network, names, {samples.rank() == 0 ? 0 : samples.dim(0), rows}, options);
}

StatisticsTable calibrate(const ir::Executor& network, const std::vector<std::string>& names,
                          const SampleSource& samples, const CalibrationOptions& options) {
  if (samples.count == 0) throw InputError("calibrate", "no samples");
  if (options.batch_size < 1)
    throw UsageError("calibrate", fmt::format("batch size, got {}, expected 1 or more", options.batch_size));
  const std::int64_t batches = (samples.count + options.batch_size - 1) / options.batch_size;
  const std::int64_t parts = std::min(batches, options.threads * kPartsPerThread);
  std::vector<Statistics> all(names.size());
  std::mutex mutex;
  std::atomic<std::int64_t> done{0};
  parallel_for(parts, options.threads, [&](std::int64_t part) {
    std::vector<Statistics> seen(names.size());
    for (std::int64_t batch = part * batches / parts; batch < (part + 1) * batches / parts; ++batch) {
      const std::int64_t first = batch * options.batch_size;
      observe(network, samples.inputs(first, std::min(samples.count, first + options.batch_size)), names,
              samples.first_sample + batch, options, seen);
      if (options.progress) options.progress(static_cast<double>(++done) / static_cast<double>(batches));
    }
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < names.size(); ++i) all[i].merge(seen[i]);
  });
  StatisticsTable table;
  for (std::size_t i = 0; i < names.size(); ++i) table[names[i]] = std::move(all[i]);
  return table;
}

}  // namespace halftone::calibration
