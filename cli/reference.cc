#include "cli/reference.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli/integers.h"
#include "halftone/data/npy.h"
#include "halftone/float_engine/executor.h"

namespace halftone::cli {
namespace {

std::string extension_of(const std::string& file) { return std::filesystem::path(file).extension().string(); }

}  // namespace

bool is_model(const std::string& reference) {
  return extension_of(reference) != ".npz" && extension_of(reference) != ".npy";
}

data::NamedTensors computed_reference(const ModelFile& model, const DataSource& source, const DataOptions& options,
                                      const std::vector<const ModelFile*>& table) {
  const calibration::Samples samples = options.take(source, model, Labels::ignored, table);
  std::vector<Tensor> outputs;
  with_progress(options, samples, fmt::format("{} (reference)", model.path),
                [&](const calibration::BatchOptions& batches) {
                  outputs = analysis::outputs_of(*executor_of(model), samples, batches);
                });
  data::NamedTensors named;
  for (std::size_t i = 0; i < outputs.size(); ++i) named.emplace_back(model.output_names()[i], outputs[i]);
  return named;
}

std::unique_ptr<ir::Executor> executor_of(const ModelFile& model) {
  if (model.integers) return run_integers(*model.integers);
  return float_engine::make_executor(model.graph);
}

data::NamedTensors read_reference(const std::string& file) {
  if (extension_of(file) == ".npz") return data::read_npz(file);
  return {{"", data::read_npy(file)}};
}

analysis::NamedOutputs outputs_of(const ModelFile& model) { return {model.path, model.output_names()}; }

std::size_t output_index(const ModelFile& model, const std::string& name, const char* option) {
  return analysis::output_index(outputs_of(model), name, option);
}

}  // namespace halftone::cli
