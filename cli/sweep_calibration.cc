#include "cli/sweep_table.h"
#include "halftone/float_engine/executor.h"
#include "halftone/quant/calibrate.h"

namespace halftone::cli {
namespace {

// The training part of what --data names, or the pictures themselves.
DataOptions calibration_of(const SweepOptions& options) {
  DataOptions calibration = options.data;
  calibration.samples = options.calibration_samples.value_or(kCalibrationSamples);
  if (!options.calibration_data.empty()) {
    calibration.data = options.calibration_data;
    calibration.images.clear();
  } else if (options.data.images.empty()) {
    const data::Source source = data::parse_source(options.data.data);
    calibration.data = source.part == data::Part::test ? source.name + ":train" : options.data.data;
  }
  return calibration;
}

}  // namespace

analysis::Samples calibration_samples(const SweepTask& task) {
  const DataOptions options = calibration_of(task.options);
  analysis::Samples samples = options.take(options.open(data::Part::train, task.model), task.model);
  name_part(samples, options);
  return samples;
}

quant::StatisticsTable calibrate(const SweepTask& task, const analysis::Samples& samples) {
  const ir::Graph observed = quant::observed(task.graph);
  const auto network = float_engine::make_executor(observed);
  quant::StatisticsTable seen;
  with_progress(task.options.data, samples, kSweepBatch, "calibrating", [&](const auto& batches) {
    const auto inputs = [&](std::int64_t first, std::int64_t last) {
      return analysis::batch_of(samples, first, last, batches).inputs;
    };
    seen =
        quant::calibrate(*network, quant::output_names(observed), quant::SampleSource{samples.size(), inputs},
                         {.batch_size = batches.fixed_batch ? batches.batch_size : 1,
                          .fixed_batch = batches.fixed_batch,
                          .threads = batches.threads,
                          .progress = batches.progress});
  });
  return seen;
}

}  // namespace halftone::cli
