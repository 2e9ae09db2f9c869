#include "halftone/quant/float_end.h"

#include <algorithm>
#include <variant>

namespace halftone::quant {
namespace {

template <typename... Ops>
bool is_one_of(const ir::Op& op) {
  return (std::holds_alternative<Ops>(op) || ...);
}

bool reads_off(const ir::Op& op) {
  return is_one_of<ir::Softmax, ir::LogSoftmax, ir::ArgMax, ir::Hardmax>(op);
}

bool hands_on(const ir::Op& op) {
  return is_one_of<ir::Identity, ir::Reshape, ir::Flatten, ir::Squeeze, ir::Unsqueeze, ir::Transpose,
                   ir::Cast, ir::QuantizeLinear, ir::DequantizeLinear>(op);
}

}  // namespace

std::vector<bool> float_end(const ir::Graph& graph) {
  const std::vector<std::vector<int>> readers = ir::consumers(graph);
  const std::vector<int> producer = ir::producers(graph);
  std::vector<bool> reaches_outputs_alone(graph.nodes.size());
  for (std::size_t n = graph.nodes.size(); n-- > 0;) {
    const ir::Node& node = graph.nodes[n];
    reaches_outputs_alone[n] =
        (reads_off(node.op) || hands_on(node.op)) && std::ranges::all_of(node.outputs, [&](ir::ValueId id) {
          return std::ranges::all_of(readers[static_cast<std::size_t>(id)], [&](int reader) {
            return reaches_outputs_alone[static_cast<std::size_t>(reader)];
          });
        });
  }
  std::vector<bool> end(graph.nodes.size());
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node& node = graph.nodes[n];
    const int before = node.inputs.empty() || node.inputs[0] == ir::kNoValue
                           ? -1
                           : producer[static_cast<std::size_t>(node.inputs[0])];
    end[n] = reaches_outputs_alone[n] &&
             (reads_off(node.op) || (before >= 0 && end[static_cast<std::size_t>(before)]));
  }
  return end;
}

}  // namespace halftone::quant
