#include "cli/quantization.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/calibration.h"
#include "cli/float_graph.h"
#include "cli/recipe_beside.h"
#include "halftone/base/error.h"
#include "halftone/float_engine/executor.h"
#include "halftone/ir/work.h"
#include "halftone/onnx_io/save.h"
#include "halftone/qgraph/lower.h"
#include "halftone/qgraph/qoperators.h"
#include "halftone/quant/quantize_dynamic.h"
#include "halftone/quant/reconstruct.h"

namespace halftone::cli {
namespace {

// The first reason why a network has nothing to quantize.
std::string why_nothing(const ir::Graph& graph) {
  const auto nodes = quant::float_nodes(graph);
  return nodes.empty() ? "it has no nodes" : fmt::format("{}: {}", nodes.front().node, nodes.front().reason);
}

// The quantized graph as the file format writes it.
ir::Graph in_format(const ir::Graph& graph, const std::string& format) {
  if (format == "qoperator") return qgraph::with_integer_operators(graph);
  if (format == "qonnx") return qgraph::with_quant_nodes(graph);
  return graph;
}

std::optional<std::filesystem::path> recipe_of(const std::string& output, const FileSettings& file) {
  if (!file.recipe_output.empty()) return file.recipe_output;
  return recipe_beside(output);
}

}  // namespace

void refuse_islands(const std::vector<quant::Island>& islands, const std::string& model) {
  std::vector<std::string> named;
  for (const quant::Island& island : islands)
    if (!island.ends_network)
      named.push_back(fmt::format("{} '{}' ({})", island.op, island.name, island.reason));
  if (named.empty()) return;
  throw UnsupportedError(model,
                         fmt::format("{} would stay float: {}; --allow-float keeps them so, between "
                                     "conversions",
                                     named.size() == 1 ? "a node" : fmt::format("{} nodes", named.size()),
                                     fmt::join(named, ", ")));
}

quant::Parameters parameters_of(const ir::Graph& model, const ir::Graph& graph, const quant::RangeTable& ranges,
                                const quant::Recipe& recipe, const analysis::Samples& samples,
                                const DataOptions& data, const std::string& title) {
  quant::Parameters parameters = quant::choose_parameters(graph, ranges, recipe);
  if (quant::reconstructs(recipe))
    with_samples(samples, data, title, [&](const auto& source, const auto& calibration) {
      quant::reconstruct(graph, parameters, recipe, source, calibration, float_engine::make_executor);
    });
  if (recipe.correct_bias == quant::BiasCorrection::analytic)
    correct_biases(graph, parameters, known_distributions(model, recipe), samples, data);
  return parameters;
}

QuantizedModel quantized_model(const std::string& model, const ir::Graph& graph,
                               const quant::Parameters& parameters, const quant::Recipe& recipe,
                               bool may_stay_float) {
  QuantizedModel result{.quantized = recipe.dynamic ? quant::quantize_dynamic(graph, parameters, recipe.arithmetic)
                                                   : quant::quantize(graph, parameters, recipe.arithmetic),
                       .integers = {},
                       .islands = {}};
  if (!qgraph::is_quantized(result.quantized.graph))
    throw UnsupportedError(model, "nothing to quantize: " + why_nothing(graph));
  result.integers = qgraph::lower(result.quantized.graph);
  result.islands = quant::islands_of(graph, result.integers);
  if (!may_stay_float) refuse_islands(result.islands, model);
  return result;
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
