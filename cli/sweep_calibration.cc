#include "cli/calibration.h"
#include "cli/sweep_table.h"

namespace halftone::cli {
namespace {

// The training part of what --data names, or the pictures themselves.
DataOptions calibration_of(const SweepOptions& options) {
  DataOptions calibration = options.data;
  calibration.samples = options.calibration_samples;
  calibration.usual_samples = kCalibrationSamples;
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

calibration::Samples calibration_samples(const SweepTask& task) {
  const DataOptions options = calibration_of(task.options);
  calibration::Samples samples = options.take(options.open(data::Part::train, task.model), task.model);
  name_part(samples, options);
  return samples;
}

calibration::StatisticsTable calibrate(const SweepTask& task, const calibration::Samples& samples) {
  return calibrate(task.graph, samples, task.options.data);
}

}  // namespace halftone::cli
