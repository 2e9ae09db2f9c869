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

inline constexpr const char* kLabelOffsetKey = "halftone.label_offset";

struct ModelFile {
  std::string path;
  ir::Graph graph;
  std::int64_t file_bytes = 0;
  std::int64_t parameter_bytes = 0;                  // of the constants as the file holds them
  std::optional<qgraph::QuantizedGraph> integers;    // of a quantized model
  std::optional<data::Preprocessing> preprocessing;  // from the file's metadata
  std::optional<std::int64_t> label_offset;          // likewise: added to labels, for a class more

  const Shape& input_shape() const { return graph.value(graph.inputs.at(0)).shape; }
  std::vector<std::string> input_names() const;
  std::vector<std::string> output_names() const;
};

// Loads, and lowers when quantized. Networks of other floating-point types become float32, and the float meaning of a
// quantized one is its simulation. `shapes` are for what the file leaves open of its inputs, of which there is at least
// one. Throws InputError for weights that are not finite.
ModelFile load_model_file(const std::string& path, const onnx_io::InputShapes& shapes = {});

// Says, before any work, which files a command will write: from now on reading one of them is a UsageError, whose
// message `remedy` ends. Throws UsageError for one that was read already or is said twice, and as check_writable does.
// Empty names are no files.
void check_written(const std::vector<std::string>& written, const std::string& remedy = "");

// Throws SystemError when no file can be made there: before work whose result would be lost.
void check_writable(const std::filesystem::path& path);

}  // namespace halftone::cli
