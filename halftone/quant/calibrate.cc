#include "halftone/quant/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"
#include "halftone/quant/min_max_observer.h"

namespace halftone::quant {

RangeTable calibrate(const ir::Executor& network, const Tensor& samples, const CalibrationOptions& options) {
  const auto rows = [&](std::int64_t first, std::int64_t last) {
    const Tensor part = samples.rows(first, last);
    return std::vector<Tensor>{options.fixed_batch ? pad_rows(part, options.batch_size) : part};
  };
  return calibrate(network, {samples.rank() == 0 ? 0 : samples.dim(0), rows}, options);
}

RangeTable calibrate(const ir::Executor& network, const SampleSource& samples,
                     const CalibrationOptions& options) {
  if (samples.count == 0) throw InputError("calibrate", "no samples");
  if (options.batch_size < 1)
    throw UsageError("calibrate", fmt::format("batch size, got {}, expected 1 or more", options.batch_size));
  const std::int64_t batches = (samples.count + options.batch_size - 1) / options.batch_size;
  std::map<std::string, MinMaxObserver, std::less<>> observers;
  std::mutex mutex;
  std::atomic<std::int64_t> done{0};
  parallel_for(batches, options.threads, [&](std::int64_t batch) {
    std::map<std::string, MinMaxObserver, std::less<>> seen;
    const std::vector<Tensor> inputs =
        samples.inputs(batch * options.batch_size, std::min(samples.count, (batch + 1) * options.batch_size));
    network.run(inputs, [&](std::string_view name, Tensor& value) {
      if (value.dtype() != DType::float32) return;
      try {
        seen[std::string(name)].observe(value.data<float>());
      } catch (const InputError& error) {
        throw InputError(name, error.what());
      }
    });
    const std::lock_guard lock(mutex);
    for (const auto& [name, observer] : seen) observers[name].merge(observer);
    if (options.progress) options.progress(static_cast<double>(++done) / static_cast<double>(batches));
  });
  RangeTable table;
  for (const auto& [name, observer] : observers) table[name] = observer.range();
  return table;
}

}  // namespace halftone::quant
