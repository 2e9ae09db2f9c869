#include "cli/model_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/qgraph/lower.h"

namespace halftone::cli {

namespace {

std::vector<std::string> names_of(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  std::vector<std::string> names;
  for (ir::ValueId id : ids) names.push_back(graph.value(id).name);
  return names;
}

// Whether two paths lead to one file, which need not be there yet.
bool same_file(const std::string& a, const std::string& b) {
  std::error_code missing;
  return std::filesystem::equivalent(a, b, missing) ||
         std::filesystem::absolute(a).lexically_normal() == std::filesystem::absolute(b).lexically_normal();
}

}  // namespace

std::vector<std::string> ModelFile::input_names() const { return names_of(graph, graph.inputs); }
std::vector<std::string> ModelFile::output_names() const { return names_of(graph, graph.outputs); }

ModelFile load_model_file(const std::string& path, const onnx_io::InputShapes& shapes) {
  ModelFile model{.path = path, .graph = onnx_io::load_model(path, shapes)};
  if (model.graph.inputs.empty()) throw UnsupportedError(path, "no inputs, expected at least 1");
  std::error_code no_size;  // of a pipe
  const std::uintmax_t bytes = std::filesystem::file_size(path, no_size);
  model.file_bytes = no_size ? 0 : static_cast<std::int64_t>(bytes);
  if (const auto found = model.graph.metadata.find(kPreprocessingKey); found != model.graph.metadata.end())
    model.preprocessing = data::decode(found->second);
  if (qgraph::is_quantized(model.graph)) model.integers = qgraph::lower(model.graph);
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

void check_written(const std::vector<std::string>& written, const std::vector<std::string>& read) {
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i].empty()) continue;
    check_writable(written[i]);
    if (is_special_file(written[i])) continue;
    for (const std::string& other : read)
      if (!other.empty() && same_file(written[i], other))
        throw UsageError(written[i], "is a file that is read, expected one of its own");
    for (std::size_t k = 0; k < i; ++k)
      if (!written[k].empty() && same_file(written[i], written[k]))
        throw UsageError(written[i], "given for two outputs, expected a file for each");
  }
}

data::Preprocessing choose_preprocessing(const ModelFile& model, const std::string& preset,
                                         const std::string& dataset_name) {
  if (!preset.empty()) return data::preset(preset);
  return model.preprocessing ? *model.preprocessing : data::default_preset(dataset_name);
}

std::int64_t parameter_bytes(const ir::Graph& graph) {
  std::int64_t bytes = 0;
  for (const ir::Value& value : graph.values)
    if (value.constant) bytes += (value.constant->size() * bits_of(value.dtype) + 7) / 8;
  return bytes;
}

}  // namespace halftone::cli
