#include "cli/quantization.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/recipe_beside.h"
#include "halftone/base/error.h"
#include "halftone/ir/work.h"
#include "halftone/onnx_io/save.h"
#include "halftone/lower/qoperators.h"

namespace halftone::cli {
namespace {

// The quantized graph as the file format writes it.
ir::Graph in_format(const ir::Graph& graph, const std::string& format) {
  if (format == "qoperator") return lower::with_integer_operators(graph);
  if (format == "qonnx") return lower::with_quant_nodes(graph);
  return graph;
}

std::optional<std::filesystem::path> recipe_of(const std::string& output, const FileSettings& file) {
  if (!file.recipe_output.empty()) return file.recipe_output;
  return recipe_beside(output);
}

}  // namespace

void refuse_islands(const std::vector<quant::Island>& islands, const std::string& model, bool can_stay) {
  std::vector<std::string> named;
  for (const quant::Island& island : islands)
    if (!island.ends_network && island.reason.cause != qgraph::FloatCause::kept)
      named.push_back(fmt::format("{} '{}' ({})", island.op, island.name, island.reason.text));
  if (named.empty()) return;
  throw UnsupportedError(model,
                         fmt::format("{} would stay float: {}{}", named.size() == 1 ? "a node" : fmt::format("{} nodes", named.size()),
                                     fmt::join(named, ", "), can_stay ? "; --allow-float keeps them so, between conversions" : ""));
}

void check_quantized_output(const std::string& output, const FileSettings& file) {
  if (output.empty()) return;
  check_written({output});
  if (const auto recipe = recipe_of(output, file))
    check_written({recipe->string()}, ": --recipe-output says where the recipe goes");
}

void check_format(const ir::Graph& graph, const quant::Recipe& recipe, const std::string& format) {
  if (format == "qdq") return;
  ir::Graph trial;
  try {
    trial = quant::trial(graph, recipe);
  } catch (const InputError&) {
    return;  // of ranges that are none: what it really is comes later
  }
  in_format(trial, format);
}

Written write_quantized(const ir::Graph& quantized, const quant::Recipe& recipe, const DataOptions& data,
                        const FileSettings& file, const std::string& output, NewFiles& files) {
  const ir::Graph graph = in_format(quantized, file.format);
  const onnx_io::Saved saved = onnx_io::save_model(graph, output, files);
  // The recipe first, which says what the model is: one alone, or one of another run, is told from it.
  if (const auto path = recipe_of(output, file))
    files.add_first(*path, recipe_file(recipe, data, file, saved.digest));
  return {saved.bytes, ir::parameter_bytes(graph)};
}

}  // namespace halftone::cli
