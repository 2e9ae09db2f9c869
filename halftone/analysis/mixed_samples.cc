#include "halftone/analysis/mixed_samples.h"

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::analysis {
namespace {

// By output: its rows for samples [first, last), one after another; nothing of one that has not a row a sample.
std::vector<Tensor> rows_of(const ir::Executor& network, const calibration::Samples& samples, std::int64_t first, std::int64_t last,
                            const calibration::BatchOptions& options) {
  std::vector<Tensor> rows;
  calibration::with_batch(samples, first, last, options, [&](const calibration::Batch& batch) {
    for (const Tensor& y : network.run(batch.inputs)) {
      const bool row_each = y.rank() > 0 && y.dim(0) == batch.rows;
      rows.push_back(row_each ? y.rows(0, batch.count).cast(DType::float32) : Tensor(DType::float32, {last - first, 0}));
    }
  });
  return rows;
}

MixedSamples compare(const Tensor& alone, const Tensor& beside) {
  MixedSamples result;
  const auto y = alone.data<float>();
  const auto other = beside.data<float>();
  for (std::size_t i = 0; i < std::min(y.size(), other.size()); ++i) {
    result.change = std::max(result.change, std::abs(double{y[i]} - double{other[i]}));
    result.largest = std::max({result.largest, std::abs(double{y[i]}), std::abs(double{other[i]})});
  }
  return result;
}

std::optional<MixedSamples> compare_all(const ir::Executor& network, const calibration::Samples& samples, std::int64_t count,
                                        const calibration::BatchOptions& options) {
  const std::vector<Tensor> together = rows_of(network, samples, 0, count, options);
  std::optional<MixedSamples> worst;
  // A fixed batch is run whole for each sample: the last one is tried alone.
  for (std::int64_t n = options.fixed_batch ? count - 1 : 0; n < count; ++n) {
    const std::vector<Tensor> alone = rows_of(network, samples, n, n + 1, options);
    for (std::size_t i = 0; i < alone.size(); ++i) {
      MixedSamples mixed = compare(alone[i], together[i].rows(n, n + 1));
      mixed.output = i;
      mixed.sample = n;
      if (!(mixed.change > kSameAnswer * mixed.largest)) continue;
      if (!worst || mixed.change * worst->largest > worst->change * mixed.largest) worst = mixed;
    }
  }
  return worst;
}

}  // namespace

std::optional<MixedSamples> mixed_samples(const ir::Executor& network, const calibration::Samples& samples,
                                          const calibration::BatchOptions& options) {
  const std::int64_t count = std::min({samples.size(), kTried, options.batch_size});
  if (count < 2) return std::nullopt;
  try {
    return compare_all(network, samples, count, options);
  } catch (const InputError&) {  // a network that takes no two samples at once mixes none
    return std::nullopt;
  }
}

}  // namespace halftone::analysis
