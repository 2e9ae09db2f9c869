// A model as the commands take it from a file: its graph, whether it is quantized, and how its inputs are
// prepared.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halftone/data/preprocessing.h"
#include "halftone/ir/executor.h"
#include "halftone/ir/graph.h"
#include "halftone/onnx_io/load.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::cli {

inline constexpr const char* kPreprocessingKey = "halftone.preprocessing";

struct ModelFile {
  std::string path;
  ir::Graph graph;
  std::int64_t file_bytes = 0;
  std::optional<qgraph::QuantizedGraph> integers;    // of a quantized model
  std::optional<data::Preprocessing> preprocessing;  // from the file's metadata

  const Shape& input_shape() const { return graph.value(graph.inputs.at(0)).shape; }
  std::vector<std::string> input_names() const;
  std::vector<std::string> output_names() const;
};

// Loads, and lowers when quantized. `shapes` are for what the file leaves open of its inputs, of which there
// is at least one.
ModelFile load_model_file(const std::string& path, const onnx_io::InputShapes& shapes = {});

// Throws UsageError for a file to be written that is read as well, or stands twice among those written, and as
// check_writable does. Empty names are no files.
void check_written(const std::vector<std::string>& written, const std::vector<std::string>& read);

// Throws SystemError when no file can be made there: before work whose result would be lost.
void check_writable(const std::filesystem::path& path);

// The preset asked for, else the file's, else the data set's usual one.
data::Preprocessing choose_preprocessing(const ModelFile& model, const std::string& preset,
                                         const std::string& dataset_name);

// Weights and other constants, in bytes.
std::int64_t parameter_bytes(const ir::Graph& graph);

}  // namespace halftone::cli
