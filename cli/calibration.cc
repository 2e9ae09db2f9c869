#include "cli/calibration.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/float_engine/executor.h"

namespace halftone::cli {
namespace {

// The samples of one part: whole batches where their size is fixed.
quant::SampleSource part_of(const quant::SampleSource& all, std::int64_t batch, const Shard& shard) {
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
                                                               const analysis::Samples& samples,
                                                               const quant::SampleSource& part, std::int64_t batch) {
  std::int64_t inputs = 0;
  for (const analysis::SampledInput& input : samples.inputs) inputs = std::max(inputs, input.rows.size() / samples.size());
  looks.channels.emplace(names, (part.count + batch - 1) / batch, inputs * batch);
  const auto scores = std::ranges::find(names, graph.value(graph.outputs.at(0)).name);
  if (scores != names.end()) looks.classes.emplace(samples, static_cast<std::size_t>(scores - names.begin()), batch);
  return [&looks, first = part.first_sample](std::int64_t sample, const ir::Watched& watched) {
    looks.channels->see(sample - first, watched);
    if (looks.classes) looks.classes->see(sample, watched);
  };
}

}  // namespace

void with_samples(const analysis::Samples& samples, const DataOptions& data, const std::string& title,
                  const std::function<void(const quant::SampleSource&, const quant::CalibrationOptions&)>& work) {
  with_progress(data, samples, title, [&](const analysis::BatchOptions& batches) {
    const auto inputs = [&](std::int64_t first, std::int64_t last) {
      return analysis::batch_of(samples, first, last, batches).inputs;
    };
    work({.count = samples.size(), .inputs = inputs},
         {.batch_size = batches.fixed_batch ? batches.batch_size : 1,
          .fixed_batch = batches.fixed_batch,
          .threads = batches.threads,
          .progress = batches.progress});
  });
}

quant::CalibrationFile calibrate_part(const ir::Graph& graph, const analysis::Samples& samples, const DataOptions& data,
                                      const Shard& shard, Looks* looks) {
  const ir::Graph observed = quant::observed(graph);
  const std::vector<std::string> names = quant::output_names(observed);
  quant::CalibrationFile file{.preprocessing = data::encode(samples.preprocessing)};
  with_samples(samples, data, "calibrating", [&](const quant::SampleSource& source, quant::CalibrationOptions options) {
    const quant::SampleSource part = part_of(source, options.batch_size, shard);
    const auto batches = [&](const quant::SampleSource& some) {
      return (some.count + options.batch_size - 1) / options.batch_size;
    };
    if (looks != nullptr) options.also = looking(*looks, graph, names, samples, part, options.batch_size);
    file.seen = quant::calibrate(*float_engine::make_executor(observed), names, part, options);
    file.samples[part.first_sample] = part.first_sample + batches(part);
    file.total = batches(source);
  });
  return file;
}

quant::StatisticsTable calibrate(const ir::Graph& graph, const analysis::Samples& samples, const DataOptions& data,
                                 Looks* looks) {
  return calibrate_part(graph, samples, data, {}, looks).seen;
}

}  // namespace halftone::cli
