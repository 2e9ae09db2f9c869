#include "halftone/analysis/output_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "halftone/analysis/sum_batches.h"
#include "halftone/base/error.h"

namespace halftone::analysis {
namespace {

struct Sums {
  double yr = 0.0;
  double yy = 0.0;
  double rr = 0.0;
  double dd = 0.0;
  double most = 0.0;
  ChannelErrors channels;
};

Sums sums_of(const Tensor& y, const Tensor& r) {
  const Tensor wide_y = y.cast(DType::float64);
  const Tensor wide_r = r.cast(DType::float64);
  const auto a = wide_y.data<double>();
  const auto b = wide_r.data<double>();
  Sums sums;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = a[i] - b[i];
    sums.yr += a[i] * b[i];
    sums.yy += a[i] * a[i];
    sums.rr += b[i] * b[i];
    sums.dd += d * d;
    sums.most = std::max(sums.most, std::fabs(d));
  }
  sums.channels.add(r.cast(DType::float32), y.cast(DType::float32).reshaped(r.shape()), r.rank() == 0 ? 0 : r.dim(0));
  return sums;
}

void add(Sums& into, const Sums& from) {
  into.yr += from.yr;
  into.yy += from.yy;
  into.rr += from.rr;
  into.dd += from.dd;
  into.most = std::max(into.most, from.most);
  into.channels.add(from.channels);
}

OutputError error_from(const Sums& sums, std::string name, std::int64_t compared) {
  OutputError error{.name = std::move(name), .compared = compared, .max_absolute = sums.most};
  const double norms = std::sqrt(sums.yy) * std::sqrt(sums.rr);
  error.cosine = norms == 0.0 ? (sums.yy == sums.rr ? 1.0 : 0.0) : sums.yr / norms;
  error.relative_rms = sums.dd == 0.0 ? 0.0 : std::sqrt(sums.dd) / std::sqrt(sums.rr);
  error.worst = sums.channels.worst();
  return error;
}

// `whose` rows these are: the output's, or the reference's.
void expect_finite(const Tensor& rows, std::int64_t first, const std::string& whose) {
  const Tensor wide = rows.cast(DType::float64);
  const auto numbers = wide.data<double>();
  const auto bad = std::ranges::find_if_not(numbers, [](double v) { return std::isfinite(v); });
  if (bad == numbers.end()) return;
  const auto row = static_cast<std::size_t>(bad - numbers.begin()) / (numbers.size() / static_cast<std::size_t>(rows.dim(0)));
  throw InputError(whose, fmt::format("row {} holds {}, expected finite numbers", first + static_cast<std::int64_t>(row), *bad));
}

// The sizes of a row, those of 1 left out: [N, 10, 1] and [N, 10] hold the same.
Shape row_of(const Tensor& rows) {
  Shape row;
  for (std::size_t i = 1; i < rows.rank(); ++i)
    if (rows.dim(i) != 1) row.push_back(rows.dim(i));
  return row;
}

}  // namespace

std::vector<OutputError> compare_with(const std::vector<Reference>& references, const ir::Executor& network,
                                      const calibration::Samples& samples, const calibration::BatchOptions& options) {
  for (const Reference& reference : references)
    if (reference.rows.rank() == 0 || reference.rows.dim(0) != samples.size())
      throw InputError(fmt::format("reference '{}'", reference.name),
                       fmt::format("shape {}, expected a row for each of {} samples",
                                   to_string(reference.rows.shape()), samples.size()));
  std::vector<Sums> all(references.size());
  const auto sums_of_batch = [&](const calibration::Batch& batch) {
    std::vector<Sums> sums;
    const std::vector<Tensor> outputs = network.run(batch.inputs);
    for (std::size_t i = 0; i < references.size(); ++i) {
      const Reference& reference = references[i];
      const Tensor y =
          calibration::output_rows(outputs.at(reference.output), batch, fmt::format("output '{}'", reference.name));
      const Tensor r = reference.rows.rows(batch.first, batch.first + batch.count);
      if (row_of(y) != row_of(r))
        throw InputError(
            fmt::format("output '{}'", reference.name),
            fmt::format("shape {}, expected the reference's {}", to_string(y.shape()), to_string(r.shape())));
      expect_finite(y, batch.first, fmt::format("output '{}'", reference.name));
      expect_finite(r, batch.first, fmt::format("reference '{}'", reference.name));
      sums.push_back(sums_of(y, r));
    }
    return sums;
  };
  sum_batches<std::vector<Sums>>(samples, options, sums_of_batch, [&](const std::vector<Sums>& batch) {
    for (std::size_t i = 0; i < all.size(); ++i) add(all[i], batch[i]);
  });
  std::vector<OutputError> errors;
  for (std::size_t i = 0; i < references.size(); ++i)
    errors.push_back(error_from(all[i], references[i].name, references[i].rows.size()));
  return errors;
}

std::vector<Tensor> outputs_of(const ir::Executor& network, const calibration::Samples& samples,
                               const calibration::BatchOptions& options) {
  const std::int64_t size = std::max<std::int64_t>(options.batch_size, 1);
  std::vector<std::vector<Tensor>> parts;  // by output, by batch
  std::mutex mutex;
  calibration::for_batches(samples, options, [&](const calibration::Batch& batch) {
    std::vector<Tensor> outputs = network.run(batch.inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      outputs[i] = calibration::output_rows(outputs[i], batch, fmt::format("output {}", i));
    const std::lock_guard lock(mutex);
    parts.resize(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      parts[i].resize(static_cast<std::size_t>((samples.size() + size - 1) / size));
      parts[i][static_cast<std::size_t>(batch.first / size)] = std::move(outputs[i]);
    }
  });
  std::vector<Tensor> result;
  for (const std::vector<Tensor>& output : parts) result.push_back(concatenate_rows(output));
  return result;
}

}  // namespace halftone::analysis
