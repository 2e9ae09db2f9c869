#include "halftone/ir/finite_weights.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/base/not_a_number.h"
#include "halftone/ir/moves.h"

namespace halftone::ir {
namespace {

bool is_normalization(const Op& op) {
  return std::holds_alternative<BatchNormalization>(op) || std::holds_alternative<InstanceNormalization>(op) ||
         std::holds_alternative<LayerNormalization>(op) || std::holds_alternative<RMSNormalization>(op);
}

// Whether input 0 comes out as the same numbers, elsewhere or rounded.
bool hands_on(const Op& op) {
  return only_moves(op) || std::holds_alternative<Cast>(op) || std::holds_alternative<QuantizeLinear>(op) ||
         std::holds_alternative<DequantizeLinear>(op) || std::holds_alternative<Quant>(op);
}

// A deviation is the root of the variance.
void check_variance(const Graph& graph, const Node& node) {
  const auto* norm = std::get_if<BatchNormalization>(&node.op);
  const Tensor* variance = norm == nullptr || norm->training ? nullptr : graph.constant(node.inputs[4]);
  if (variance == nullptr) return;
  const Tensor real = variance->cast(DType::float32);
  const auto bad = std::ranges::find_if(real.data<float>(), [&](float v) { return v + norm->epsilon < 0; });
  if (bad != real.data<float>().end())
    throw InputError(fmt::format("weights '{}'", graph.value(node.inputs[4]).name),
                     fmt::format("element {}, the variance of {}, got {}, expected 0 or more", bad - real.data<float>().begin(),
                                 describe(graph, node), *bad));
}

}  // namespace

void check_finite_weights(const Graph& graph) {
  const std::vector<int> producer = producers(graph);
  for (const Node& node : graph.nodes) {
    if (!is_linear(node.op) && !is_normalization(node.op)) continue;
    check_variance(graph, node);
    for (ValueId id : node.inputs) {
      while (id != kNoValue && graph.constant(id) == nullptr) {
        const int n = producer[static_cast<std::size_t>(id)];
        const Node* before = n < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(n)];
        id = before != nullptr && hands_on(before->op) ? before->inputs[0] : kNoValue;
      }
      const auto bad = id == kNoValue ? std::nullopt : find_not_finite(*graph.constant(id));
      if (bad)
        throw InputError(fmt::format("weights '{}'", graph.value(id).name),
                         fmt::format("element {}, read by {}, got infinity or NaN, expected finite numbers", *bad,
                                     describe(graph, node)));
    }
  }
}

}  // namespace halftone::ir
