#include "halftone/analysis/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "halftone/analysis/sum_batches.h"
#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"

namespace halftone::analysis {
namespace {

// ln Σ exp(x).
double log_sum_exp(std::span<const float> x) {
  const double most = *std::ranges::max_element(x);
  double sum = 0.0;
  for (float value : x) sum += std::exp(value - most);
  return most + std::log(sum);
}

double divergence_of_row(std::span<const float> r, std::span<const float> y) {
  const double log_p = log_sum_exp(r);
  const double log_q = log_sum_exp(y);
  double sum = 0.0;
  for (std::size_t i = 0; i < r.size(); ++i) sum += std::exp(r[i] - log_p) * ((r[i] - log_p) - (y[i] - log_q));
  return sum;
}

double sum_of(const Tensor& reference, const Tensor& scores) {
  if (reference.size() != scores.size())
    throw InputError("search", fmt::format("output of shape {}, expected {} as of the float network",
                                           to_string(scores.shape()), to_string(reference.shape())));
  const Tensor r = reference.cast(DType::float32);
  const Tensor y = scores.cast(DType::float32);
  const auto row = static_cast<std::size_t>(r.size() / std::max<std::int64_t>(r.dim(0), 1));
  double sum = 0.0;
  for (std::size_t i = 0; row > 0 && i < static_cast<std::size_t>(r.size()); i += row)
    sum += divergence_of_row(r.data<float>().subspan(i, row), y.data<float>().subspan(i, row));
  if (!std::isfinite(sum)) throw InputError("search", "a score that is not finite");
  return sum;
}

double divergence_of(const ir::Executor& network, const Tensor& reference, const calibration::Samples& samples,
                         const calibration::BatchOptions& options, std::size_t output) {
  double all = 0.0;
  sum_batches<double>(
      samples, options,
      [&](const calibration::Batch& batch) {
        return sum_of(reference.rows(batch.first, batch.first + batch.count),
                       calibration::output_rows(network.run(batch.inputs).at(output), batch, "search"));
      },
      [&](double part) { all += part; });
  return all / static_cast<double>(std::max<std::int64_t>(samples.size(), 1));
}

}  // namespace

std::vector<double> measure_divergence(std::span<const MakeNetwork> networks, const Tensor& reference,
                                       const calibration::Samples& samples, const calibration::BatchOptions& options, std::size_t output) {
  std::vector<double> results(networks.size());
  std::mutex mutex;
  std::size_t done = 0;
  calibration::BatchOptions alone = options;
  alone.threads = 1;
  alone.progress = {};
  parallel_for(static_cast<std::int64_t>(networks.size()), options.threads, [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    results[at] = divergence_of(*networks[at](), reference, samples, alone, output);
    const std::lock_guard lock(mutex);
    ++done;
    if (options.progress) options.progress(static_cast<double>(done) / static_cast<double>(networks.size()));
  });
  return results;
}

}  // namespace halftone::analysis
