#include "halftone/analysis/calibration_doubts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "halftone/base/error.h"

namespace halftone::analysis {
namespace {

double width_of(const numeric::Range& range) { return std::max(range.hi, 0.0) - std::min(range.lo, 0.0); }

// Whether the rows of `rows` repeat its first `bytes` over and over.
bool repeats(const Tensor& rows, std::size_t bytes) {
  const auto all = rows.bytes();
  return all.size() > bytes && bytes > 0 && std::memcmp(all.data(), all.data() + bytes, all.size() - bytes) == 0;
}

std::string number_text(const Tensor& rows) {
  return fmt::format("{}", rows.rows(0, 1).cast(DType::float64).data<double>()[0]);
}

// Whether all values but those that a single sample may have given lie in a small part of the range.
bool may_have_outlier(const calibration::Histogram& seen, std::int64_t samples) {
  const auto bins = seen.bins();
  if (bins.empty() || samples < 2) return false;
  const auto left_out = 2 * (seen.count() - seen.zeros()) / samples + 1;
  const double limit = 2.0 * (1.0 - kOutlierShare) * width_of(seen.range());
  std::int64_t beyond = 0;
  for (std::size_t bin = 0; bin < bins.size(); ++bin)
    if (std::abs(seen.middle(static_cast<int>(bin))) > limit) beyond += bins[bin];
  return beyond <= left_out;
}

// The range of each sample, or of each batch where its size is fixed, of some of the graph's values by name.
class SampleRanges {
 public:
  SampleRanges(const ir::Graph& graph, const std::vector<std::string>& names, const calibration::Samples& samples,
               const calibration::BatchOptions& options, const calibration::MakeExecutor& make_executor)
      : batch_(options.fixed_batch ? std::max<std::int64_t>(options.batch_size, 1) : 1),
        ranges_(names.size(), std::vector<numeric::Range>(static_cast<std::size_t>((samples.size() + batch_ - 1) / batch_))) {
    ir::Graph network = graph;
    network.outputs.clear();
    for (const std::string& name : names) network.outputs.push_back(graph.find(name).value());
    const auto executor = make_executor(ir::without_dead_nodes(network));
    calibration::BatchOptions one = options;
    one.batch_size = batch_;
    calibration::for_batches(samples, one, [&](const calibration::Batch& batch) {
      executor->watch(batch.inputs, [&](const ir::Watched& value) {
        const auto [lo, hi] = std::ranges::minmax(value.elements);
        auto& range = ranges_[value.output][static_cast<std::size_t>(batch.first / batch_)];
        range = joined(range, {lo, hi});
      });
    });
  }

  const std::vector<numeric::Range>& of(std::size_t value) const { return ranges_[value]; }
  // "sample 5", or "batch 5".
  std::string name_of(std::size_t place) const { return fmt::format("{} {}", batch_ == 1 ? "sample" : "batch", place); }

 private:
  std::int64_t batch_;
  std::vector<std::vector<numeric::Range>> ranges_;
};

struct Widest {
  std::size_t place = 0;
  numeric::Range others;
};

// The sample without which the range is the smallest.
Widest widest_of(const std::vector<numeric::Range>& ranges) {
  Widest widest;
  double least = HUGE_VAL;
  const auto by_hi = std::ranges::max_element(ranges, {}, &numeric::Range::hi);
  const auto by_lo = std::ranges::min_element(ranges, {}, &numeric::Range::lo);
  for (const auto candidate : {by_hi, by_lo}) {
    numeric::Range others;
    for (auto at = ranges.begin(); at != ranges.end(); ++at)
      if (at != candidate) others = joined(others, *at);
    if (width_of(others) >= least) continue;
    least = width_of(others);
    widest = {static_cast<std::size_t>(candidate - ranges.begin()), others};
  }
  return widest;
}

}  // namespace

std::vector<Doubt> doubts_of_samples(const calibration::Samples& samples, const calibration::StatisticsTable& seen) {
  std::vector<Doubt> doubts;
  if (samples.size() < kFewSamples)
    doubts.push_back({samples.name, fmt::format("ranges are chosen on {} samples, expected some {} or more", samples.size(),
                                                kFewSamples)});
  for (const calibration::SampledInput& input : samples.inputs) {
    if (!seen.contains(input.name) || input.rows.size() == 0) continue;
    const std::string where = fmt::format("input '{}'", input.name);
    if (repeats(input.rows, size_of(input.rows.dtype())))
      doubts.push_back({where, fmt::format("every number of all {} samples is {}: nothing to choose a range on",
                                           samples.size(), number_text(input.rows))});
    else if (repeats(input.rows, input.rows.byte_size() / static_cast<std::size_t>(samples.size())))
      doubts.push_back({where, fmt::format("all {} samples are the same", samples.size())});
  }
  return doubts;
}

std::vector<Doubt> doubts_of_values(const ir::Graph& graph, const calibration::Samples& samples, const calibration::StatisticsTable& seen,
                                    const calibration::BatchOptions& options, const calibration::MakeExecutor& make_executor) {
  std::vector<Doubt> doubts;
  std::vector<std::string> suspects;
  const auto is_input = [&](const std::string& name) {
    return std::ranges::any_of(samples.inputs, [&](const calibration::SampledInput& input) { return input.name == name; });
  };
  for (const auto& [name, statistics] : seen) {
    const numeric::Range range = statistics.histogram().range();
    if (range.lo == range.hi && !is_input(name))
      doubts.push_back({fmt::format("value '{}'", name),
                        fmt::format("is {} in all {} samples: its range holds nothing else", range.lo, samples.size())});
    else if (range.lo != range.hi && graph.find(name) && may_have_outlier(statistics.histogram(), samples.size()))
      suspects.push_back(name);
  }
  if (suspects.empty()) return doubts;
  const SampleRanges ranges(graph, suspects, samples, options, make_executor);
  for (std::size_t i = 0; i < suspects.size(); ++i) {
    const Widest widest = widest_of(ranges.of(i));
    const numeric::Range range = seen.at(suspects[i]).histogram().range();
    if (ranges.of(i).size() < 2 || width_of(widest.others) > (1.0 - kOutlierShare) * width_of(range)) continue;
    doubts.push_back({fmt::format("value '{}'", suspects[i]),
                      fmt::format("{} alone makes its range {:.4g} .. {:.4g}, the others stay within {:.4g} .. {:.4g}",
                                  ranges.name_of(widest.place), range.lo, range.hi, widest.others.lo, widest.others.hi)});
  }
  return doubts;
}

}  // namespace halftone::analysis
