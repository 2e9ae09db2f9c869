#include "cli/reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "halftone/base/error.h"
#include "halftone/data/npy.h"
#include "halftone/float_engine/executor.h"
#include "halftone/qgraph/interpreter.h"

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
  if (model.integers) return std::make_unique<qgraph::Interpreter>(*model.integers);
  return float_engine::make_executor(model.graph);
}

data::NamedTensors read_reference(const std::string& file) {
  if (extension_of(file) == ".npz") return data::read_npz(file);
  return {{"", data::read_npy(file)}};
}

std::vector<analysis::Reference> match_reference(const data::NamedTensors& arrays, const ModelFile& model,
                                                 const std::string& output, std::int64_t samples,
                                                 std::int64_t total) {
  const std::vector<std::string> names = model.output_names();
  const auto named = [&](const auto& array) { return std::ranges::count(names, array.first) > 0; };
  const bool in_order = std::ranges::none_of(arrays, named) &&
                        (arrays.size() == names.size() || (arrays.size() == 1 && !output.empty()));
  std::vector<analysis::Reference> references;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    if (!in_order && !named(arrays[i])) continue;
    const std::size_t at = in_order ? (arrays.size() == 1 ? output_index(model, output) : i)
                                    : output_index(model, arrays[i].first);
    if (!output.empty() && names[at] != output) continue;
    Tensor rows = arrays[i].second;
    if (rows.rank() > 0 && rows.dim(0) == total && samples < total) rows = data::sample_rows(rows, samples);
    references.push_back({at, names[at], std::move(rows)});
  }
  if (references.empty())
    throw InputError("--reference",
                     fmt::format("no array for an output of '{}', expected one for: {}", model.path,
                                 output.empty() ? fmt::format("{}", fmt::join(names, ", ")) : output));
  return references;
}

std::size_t output_index(const ModelFile& model, const std::string& name, const char* option) {
  const std::vector<std::string> names = model.output_names();
  if (name.empty()) return 0;
  const auto at = std::ranges::find(names, name);
  if (at == names.end())
    throw UsageError(option, fmt::format("'{}' has no output '{}', expected one of: {}", model.path, name,
                                             fmt::join(names, ", ")));
  return static_cast<std::size_t>(at - names.begin());
}

}  // namespace halftone::cli
