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

struct Sums {
  double difference = 0.0;
  double reference = 0.0;
  double kl = 0.0;
};

// ln Σ exp(x).
double log_sum_exp(std::span<const float> x) {
  const double most = *std::ranges::max_element(x);
  double sum = 0.0;
  for (float value : x) sum += std::exp(value - most);
  return most + std::log(sum);
}

void add_row(Sums& sums, std::span<const float> r, std::span<const float> y) {
  const double log_p = log_sum_exp(r);
  const double log_q = log_sum_exp(y);
  for (std::size_t i = 0; i < r.size(); ++i) {
    const double d = double{y[i]} - r[i];
    sums.difference += d * d;
    sums.reference += double{r[i]} * r[i];
    sums.kl += std::exp(r[i] - log_p) * ((r[i] - log_p) - (y[i] - log_q));
  }
}

Sums sums_of(const Tensor& reference, const Tensor& scores) {
  if (reference.size() != scores.size())
    throw InputError("search", fmt::format("output of shape {}, expected {} as of the float network",
                                           to_string(scores.shape()), to_string(reference.shape())));
  const Tensor r = reference.cast(DType::float32);
  const Tensor y = scores.cast(DType::float32);
  const auto row = static_cast<std::size_t>(r.size() / std::max<std::int64_t>(r.dim(0), 1));
  Sums sums;
  for (std::size_t i = 0; row > 0 && i < static_cast<std::size_t>(r.size()); i += row)
    add_row(sums, r.data<float>().subspan(i, row), y.data<float>().subspan(i, row));
  if (!std::isfinite(sums.difference) || !std::isfinite(sums.kl))
    throw InputError("search", "a score that is not finite");
  return sums;
}

Divergence divergence_of(const ir::Executor& network, const Tensor& reference, const Samples& samples,
                         const BatchOptions& options, std::size_t output) {
  Sums all;
  sum_batches<Sums>(
      samples, options,
      [&](const Batch& batch) {
        return sums_of(reference.rows(batch.first, batch.first + batch.count),
                       output_rows(network.run(batch.inputs).at(output), batch, "search"));
      },
      [&](const Sums& part) {
        all.difference += part.difference;
        all.reference += part.reference;
        all.kl += part.kl;
      });
  return {.squared = all.reference > 0.0 ? all.difference / all.reference : all.difference,
          .kl = all.kl / static_cast<double>(std::max<std::int64_t>(samples.size(), 1))};
}

}  // namespace

std::vector<Divergence> measure_divergence(std::span<const MakeNetwork> networks, const Tensor& reference,
                                           const Samples& samples, const BatchOptions& options,
                                           std::size_t output) {
  std::vector<Divergence> results(networks.size());
  std::mutex mutex;
  std::size_t done = 0;
  BatchOptions alone = options;
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
