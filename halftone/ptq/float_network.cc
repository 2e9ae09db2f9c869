#include "halftone/ptq/float_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "halftone/passes/pass.h"
#include "halftone/ptq/absorb_biases.h"
#include "halftone/ptq/correct_biases.h"
#include "halftone/ptq/measure_problem.h"
#include "halftone/ptq/smooth.h"
#include "halftone/quant/assignment.h"

namespace halftone::ptq {
namespace {

const Tensor* constant_of(const ir::Graph& graph, ir::ValueId id) {
  return id == ir::kNoValue ? nullptr : graph.constant(id);
}

bool same_node(const ir::Graph& a, const ir::Node& x, const ir::Graph& b, const ir::Node& y) {
  if (x.op != y.op || x.inputs.size() != y.inputs.size()) return false;
  for (std::size_t i = 0; i < x.inputs.size(); ++i) {
    const Tensor* own = constant_of(a, x.inputs[i]);
    const Tensor* other = constant_of(b, y.inputs[i]);
    if ((own == nullptr) != (other == nullptr) || (own != nullptr && *own != *other)) return false;
  }
  return true;
}

bool same_network(const ir::Graph& a, const ir::Graph& b) {
  return std::ranges::equal(a.nodes, b.nodes, [&](const ir::Node& x, const ir::Node& y) { return same_node(a, x, b, y); });
}

// The graph as a method makes it, whose metadata says so unless it is the same.
ir::Graph changed(const ir::Graph& graph, const std::string& method, const std::function<ir::Graph(ir::Graph)>& change) {
  ir::Graph result = change(graph);
  if (same_network(graph, result)) return graph;
  std::string& all = result.metadata[kChangedKey];
  all += (all.empty() ? "" : ", ") + method;
  return result;
}

std::string svd_text(const quant::Recipe& recipe) { return fmt::format("svd {}", recipe.svd); }
std::string smooth_text(const quant::Recipe& recipe) { return fmt::format("smooth {}", recipe.smooth); }

}  // namespace

ir::Graph float_network(const ir::Graph& model, const quant::Recipe& recipe) {
  ir::Graph graph = passes::simplify(model);
  if (recipe.svd != 0.0)
    graph = changed(graph, svd_text(recipe), [&](ir::Graph g) { return passes::split_gemm(std::move(g), recipe.svd); });
  if (recipe.equalize) graph = changed(graph, "equalize", [](ir::Graph g) { return passes::equalize_cross_layer(std::move(g)); });
  if (recipe.sum_bits > recipe.activations.format.bits) graph = passes::copy_before_layers(std::move(graph));
  if (recipe.correct_bias != quant::BiasCorrection::none) graph = passes::give_biases(std::move(graph));
  return graph;
}

bool needs_samples_before_calibration(const quant::Recipe& recipe) {
  return recipe.absorb_biases || recipe.smooth > 0.0;
}

ir::Graph move_by_samples(ir::Graph network, const quant::Recipe& recipe, const RunsFor& runs) {
  if (recipe.absorb_biases) {
    const calibration::Runs own = runs(Stage::absorb_biases, network);
    network = changed(network, "absorb-biases", [&](ir::Graph g) { return absorb_biases(std::move(g), own); });
  }
  if (recipe.smooth > 0.0) {
    const calibration::Runs own = runs(Stage::smooth, network);
    network = changed(network, smooth_text(recipe), [&](ir::Graph g) { return smooth(std::move(g), recipe.smooth, own); });
  }
  return network;
}

std::vector<std::string> notes_of_methods(const ir::Graph& graph, const quant::Recipe& recipe) {
  const auto found = graph.metadata.find(kChangedKey);
  const std::string made = found == graph.metadata.end() ? "" : found->second;
  std::vector<std::string> notes;
  const auto note = [&](bool asked, const std::string& method, const char* why) {
    if (asked && made.find(method) == std::string::npos) notes.push_back(fmt::format("{} changed nothing: {}", method, why));
  };
  const quant::Assignment assigned = quant::assign(graph, recipe);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node& node = graph.nodes[n];
    if (assigned.plan.role[n] != quant::Role::linear || std::holds_alternative<ir::ConvTranspose>(node.op) ||
        assigned.weights[n].rounding == quant::WeightRounding::nearest || can_be_reconstructed(graph, node))
      continue;
    notes.push_back(fmt::format("{} has channels of more than {} inputs: rounded to the nearest", ir::describe(graph, node),
                                kMostProblemInputs));
  }
  note(recipe.svd != 0.0, svd_text(recipe), "no Gemm has fewer weights as two");
  note(recipe.equalize, "equalize", "no layer alone takes what another gives");
  note(recipe.absorb_biases, "absorb-biases", "no channel has a bias that all its values have in common");
  note(recipe.smooth > 0.0, smooth_text(recipe), "no layers take channels that others alone give, or they are behind a ReLU6");
  return notes;
}

NormalTable known_distributions(const ir::Graph& model, const quant::Recipe& recipe) {
  const bool moved = recipe.equalize || needs_samples_before_calibration(recipe);
  return recipe.correct_bias == quant::BiasCorrection::analytic && !moved ? batch_norm_outputs(model)
                                                                         : NormalTable{};
}

}  // namespace halftone::ptq
