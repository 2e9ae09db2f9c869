#include "halftone/analysis/fixed_weights.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <variant>

#include "halftone/base/error.h"
#include "halftone/numeric/affine.h"

namespace halftone::analysis {
namespace {

bool is_layer(const ir::Graph& graph, const ir::Node& node) {
  const bool linear =
      std::holds_alternative<ir::Conv>(node.op) || std::holds_alternative<ir::ConvTranspose>(node.op) ||
      std::holds_alternative<ir::Gemm>(node.op) || std::holds_alternative<ir::MatMul>(node.op);
  if (!linear || node.inputs.size() < 2 || node.inputs[1] == ir::kNoValue) return false;
  const Tensor* weights = graph.constant(node.inputs[1]);
  return weights != nullptr && weights->dtype() == DType::float32;
}

}  // namespace

std::vector<std::size_t> fixed_layers(const ir::Graph& graph) {
  std::vector<std::size_t> layers;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (is_layer(graph, graph.nodes[n])) layers.push_back(n);
  return layers;
}

namespace {

bool has_bias(const ir::Graph& graph, const ir::Node& node) {
  if (node.inputs.size() < 3 || node.inputs[2] == ir::kNoValue) return false;
  const Tensor* bias = graph.constant(node.inputs[2]);
  return bias != nullptr && bias->dtype() == DType::float32;
}

// The operands of layers that are parameters: node and place among its inputs.
std::vector<std::pair<std::size_t, std::size_t>> parameters_of(const ir::Graph& graph, bool biases) {
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (std::size_t n : fixed_layers(graph)) {
    places.emplace_back(n, 1);
    if (biases && has_bias(graph, graph.nodes[n])) places.emplace_back(n, 2);
  }
  if (places.empty())
    throw InputError("fixed point",
                     "no Conv, ConvTranspose, Gemm or MatMul with constant float32 weights, expected one");
  return places;
}

// A constant that other nodes read too keeps its value for them.
template <typename F>
ir::Graph replaced(ir::Graph graph, bool biases, const F& f) {
  std::map<ir::ValueId, ir::ValueId> done;
  for (const auto& [n, place] : parameters_of(graph, biases)) {
    const ir::ValueId old = graph.nodes[n].inputs[place];
    if (!done.contains(old)) {
      Tensor tensor = *graph.constant(old);
      try {
        for (float& v : tensor.mutable_data<float>()) v = f(v);
      } catch (const InputError& error) {
        throw InputError(ir::describe(graph, graph.nodes[n]), error.what());
      }
      done[old] = graph.add_constant(graph.value(old).name + "_fixed", std::move(tensor));
    }
    graph.nodes[n].inputs[place] = done[old];
  }
  return graph;
}

}  // namespace

ir::Graph with_fixed_weights(ir::Graph graph, const numeric::FixedPoint& fixed, numeric::Overflow overflow) {
  return replaced(std::move(graph), false, [&](float w) {
    return numeric::from_fixed_point(numeric::to_fixed_point(w, fixed, overflow), fixed);
  });
}

ir::Graph with_unscaled_parameters(ir::Graph graph, const numeric::FixedPoint& fixed) {
  return replaced(std::move(graph), true,
                  [&](float w) { return static_cast<float>(numeric::to_fixed_point(w, fixed)); });
}

int word_length_for(const ir::Graph& graph, int fraction_length) {
  double lo = 0.0;
  double hi = 0.0;
  for (const auto& [n, place] : parameters_of(graph, true)) {
    for (float v : graph.constant(graph.nodes[n].inputs[place])->data<float>()) {
      const double q = numeric::round_real(std::ldexp(static_cast<double>(v), fraction_length),
                                           numeric::Rounding::half_even);
      lo = std::min(lo, q);
      hi = std::max(hi, q);
    }
  }
  int bits = 1;
  while (lo < -std::ldexp(1.0, bits - 1) || hi > std::ldexp(1.0, bits - 1) - 1.0) {
    if (!std::isfinite(lo) || !std::isfinite(hi))
      throw InputError("fixed point", "a parameter is not finite");
    ++bits;
  }
  return bits;
}

}  // namespace halftone::analysis
