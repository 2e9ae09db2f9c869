#include "halftone/analysis/mixed_samples.h"

#include <algorithm>
#include <cmath>

namespace halftone::analysis {
namespace {

// The first row of each output; nothing of one that has not a row a sample.
std::vector<Tensor> first_rows(const ir::Executor& network, const Samples& samples, std::int64_t count,
                               const BatchOptions& options) {
  std::vector<Tensor> rows;
  with_batch(samples, 0, count, options, [&](const Batch& batch) {
    for (const Tensor& y : network.run(batch.inputs)) {
      const bool row_each = y.rank() > 0 && y.dim(0) == batch.rows;
      rows.push_back(row_each ? y.rows(0, 1).cast(DType::float32) : Tensor(DType::float32, {0}));
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

}  // namespace

std::optional<MixedSamples> mixed_samples(const ir::Executor& network, const Samples& samples, const BatchOptions& options) {
  if (samples.size() < 2 || (options.fixed_batch && options.batch_size < 2)) return std::nullopt;
  const std::vector<Tensor> alone = first_rows(network, samples, 1, options);
  const std::vector<Tensor> beside = first_rows(network, samples, 2, options);
  std::optional<MixedSamples> worst;
  for (std::size_t i = 0; i < alone.size(); ++i) {
    MixedSamples mixed = compare(alone[i], beside[i]);
    mixed.output = i;
    if (!(mixed.change > kSameAnswer * mixed.largest)) continue;
    if (!worst || mixed.change * worst->largest > worst->change * mixed.largest) worst = mixed;
  }
  return worst;
}

}  // namespace halftone::analysis
