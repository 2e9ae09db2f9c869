#include "cli/model_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/files_in_use.h"
#include "halftone/ir/finite_weights.h"
#include "halftone/passes/pass.h"
#include "halftone/lower/lower.h"
#include "halftone/lower/simulation.h"

namespace halftone::cli {

namespace {

std::vector<std::string> names_of(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  std::vector<std::string> names;
  for (ir::ValueId id : ids) names.push_back(graph.value(id).name);
  return names;
}

// In float32, with weights that are finite.
ir::Graph computable(ir::Graph graph, const std::string& path) {
  try {
    ir::check_finite_weights(graph);
    return passes::widen_floats(std::move(graph));
  } catch (const InputError&) {
    throw_again_in(path);
  }
}

std::int64_t label_offset_from(const std::string& text, const std::string& path) {
  std::int32_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error != std::errc() || end != text.data() + text.size())
    throw InputError(path, fmt::format("{} in its metadata, got '{}', expected a whole number", kLabelOffsetKey, text));
  return offset;
}

}  // namespace

std::vector<std::string> ModelFile::input_names() const { return names_of(graph, graph.inputs); }
std::vector<std::string> ModelFile::output_names() const { return names_of(graph, graph.outputs); }

ModelFile load_model_file(const std::string& path, const onnx_io::InputShapes& shapes) {
  onnx_io::LoadedModel loaded = onnx_io::load_model_and_size(path, shapes);
  ModelFile model{.path = path, .graph = std::move(loaded.graph), .parameter_bytes = loaded.parameter_bytes};
  if (model.graph.inputs.empty()) throw UnsupportedError(path, "no inputs, expected at least 1");
  model.graph = computable(std::move(model.graph), path);
  std::error_code no_size;  // of a pipe
  const std::uintmax_t bytes = std::filesystem::file_size(path, no_size);
  model.file_bytes = no_size ? 0 : static_cast<std::int64_t>(bytes);
  if (const auto found = model.graph.metadata.find(data::kPreprocessingKey); found != model.graph.metadata.end())
    model.preprocessing = data::decode(found->second);
  if (const auto found = model.graph.metadata.find(kLabelOffsetKey); found != model.graph.metadata.end())
    model.label_offset = label_offset_from(found->second, path);
  if (!lower::is_quantized(model.graph)) return model;
  model.integers = lower::lower(model.graph);
  model.graph = lower::simulation(std::move(model.graph), *model.integers);
  return model;
}

void check_writable(const std::filesystem::path& path) {
  if (path.extension() == ".gz")
    throw UsageError(path.string(), "files are written uncompressed, expected a name without .gz");
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const bool device = std::filesystem::exists(path) && !std::filesystem::is_regular_file(path) &&
                      !std::filesystem::is_directory(path);
  if (std::filesystem::is_directory(path))
    throw SystemError(path.string(), "is a directory, expected a file name");
  if (::access(device ? path.c_str() : folder.c_str(), W_OK) != 0)
    throw SystemError(path.string(), fmt::format("cannot write: {}", std::strerror(errno)));
}

void check_written(const std::vector<std::string>& written, const std::string& remedy) {
  for (const std::string& file : written) {
    if (file.empty()) continue;
    check_writable(file);
    if (FilesInUse* files = FilesInUse::current(); files != nullptr && !is_special_file(file))
      files->will_write(file, remedy);
  }
}

}  // namespace halftone::cli
