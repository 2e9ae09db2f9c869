#include "cli/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <mutex>

#include "halftone/base/digest.h"
#include "halftone/base/error.h"
#include "halftone/base/named.h"
#include "halftone/float_engine/executor.h"
#include "halftone/quant/plan.h"
#include "halftone/report/progress.h"

namespace halftone::cli {
namespace {

// The samples of one part: whole batches where their size is fixed.
calibration::SampleSource part_of(const calibration::SampleSource& all, std::int64_t batch, const Shard& shard) {
  const std::int64_t batches = (all.count + batch - 1) / batch;
  const std::int64_t first = (shard.index - 1) * batches / shard.count;
  const std::int64_t last = shard.index * batches / shard.count;
  if (shard.count > batches)
    throw UsageError("--shard", fmt::format("got {} parts, expected at most {}: one for each {}", shard.count, batches,
                                            batch > 1 ? "batch" : "sample"));
  const std::int64_t begin = first * batch;
  return {.count = std::min(all.count, last * batch) - begin,
          .inputs = [inputs = all.inputs, begin](std::int64_t from, std::int64_t to) {
            return inputs(begin + from, begin + to);
          },
          .first_sample = first};
}

std::function<void(std::int64_t, const ir::Watched&)> looking(Looks& looks, const ir::Graph& graph,
                                                               const std::vector<std::string>& names,
                                                               const calibration::Samples& samples,
                                                               const calibration::SampleSource& part, std::int64_t batch) {
  std::int64_t inputs = 0;
  for (const calibration::SampledInput& input : samples.inputs) inputs = std::max(inputs, input.rows.size() / samples.size());
  looks.channels.emplace(names, (part.count + batch - 1) / batch, inputs * batch);
  const auto scores = std::ranges::find(names, graph.value(graph.outputs.at(0)).name);
  if (scores != names.end()) looks.classes.emplace(samples, static_cast<std::size_t>(scores - names.begin()), batch);
  return [&looks, first = part.first_sample](std::int64_t sample, const ir::Watched& watched) {
    looks.channels->see(sample - first, watched);
    if (looks.classes) looks.classes->see(sample, watched);
  };
}

constexpr Named<ptq::Stage> kTitles[] = {{ptq::Stage::absorb_biases, "absorbing biases"},
                                         {ptq::Stage::smooth, "smoothing"},
                                         {ptq::Stage::calibrate, "calibrating"},
                                         {ptq::Stage::choose_weights, "choosing weights"},
                                         {ptq::Stage::measure_channels, "measuring channels"}};

// A progress line that threads share.
struct SharedProgress {
  std::mutex mutex;
  report::Progress progress{std::cerr, report::stderr_options()};
};

calibration::Runs runs_of(const calibration::Samples& samples, const DataOptions& data, const std::string& title) {
  const calibration::BatchOptions batches = batches_of(samples, data.thread_count());
  const auto line = std::make_shared<SharedProgress>();
  return {.samples = {.count = samples.size(),
                      .inputs = [&samples, batches](std::int64_t first,
                                                    std::int64_t last) { return calibration::batch_of(samples, first, last, batches).inputs; }},
          .options = {.batch_size = batches.fixed_batch ? batches.batch_size : 1,
                      .fixed_batch = batches.fixed_batch,
                      .threads = batches.threads,
                      .progress =
                          [line, title](double done) {
                            const std::lock_guard lock(line->mutex);
                            line->progress.update(done, title);
                          }},
          .make_executor = float_engine::make_executor};
}

// The digest of the first sample, which all parts of one set have alike.
std::string digest_of(const calibration::Samples& samples) {
  if (samples.size() == 0) return "";
  Digest digest;
  for (const Tensor& input : samples.rows(0, 1)) digest.add(input.bytes());
  return digest.text();
}

}  // namespace

ptq::RunsFor runs_for(const calibration::Samples& samples, const DataOptions& data, Looks* looks, const std::string& title) {
  if (samples.size() == 0) return {};
  return [&samples, &data, looks, title](ptq::Stage stage, const ir::Graph& network) {
    calibration::Runs runs = runs_of(samples, data, title.empty() ? std::string(name_in(kTitles, stage)) : title);
    if (looks != nullptr && stage == ptq::Stage::calibrate)
      runs.options.also = looking(*looks, network, calibration::output_names(quant::observed(network)), samples, runs.samples,
                                  runs.options.batch_size);
    return runs;
  };
}

quant::CalibrationFile calibrate_part(const ir::Graph& graph, const calibration::Samples& samples, const DataOptions& data,
                                      const Shard& shard, Looks* looks) {
  const ir::Graph observed = quant::observed(graph);
  const std::vector<std::string> names = calibration::output_names(observed);
  quant::CalibrationFile file{.preprocessing = data::encode(samples.preprocessing),
                              .network = quant::digest_of(graph),
                              .data = digest_of(samples)};
  calibration::Runs runs = runs_of(samples, data, std::string(name_in(kTitles, ptq::Stage::calibrate)));
  const calibration::SampleSource part = part_of(runs.samples, runs.options.batch_size, shard);
  const auto batches = [&](const calibration::SampleSource& some) {
    return (some.count + runs.options.batch_size - 1) / runs.options.batch_size;
  };
  if (looks != nullptr) runs.options.also = looking(*looks, graph, names, samples, part, runs.options.batch_size);
  file.seen = calibration::calibrate(*runs.make_executor(observed), names, part, runs.options);
  file.samples[part.first_sample] = part.first_sample + batches(part);
  file.total = batches(runs.samples);
  return file;
}

calibration::StatisticsTable calibrate(const ir::Graph& graph, const calibration::Samples& samples, const DataOptions& data,
                                 Looks* looks) {
  return calibrate_part(graph, samples, data, {}, looks).seen;
}

}  // namespace halftone::cli
