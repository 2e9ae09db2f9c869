#include "halftone/lower/simulation.h"

namespace halftone::lower {

ir::Graph simulation(ir::Graph file, const qgraph::QuantizedGraph& integers) {
  if (integers.rounded_biases.empty()) return file;
  const std::vector<int> producers = ir::producers(file);
  for (const qgraph::RoundedBias& bias : integers.rounded_biases) {
    const auto computed = file.find(bias.computed);
    const int n = computed ? producers[static_cast<std::size_t>(*computed)] : -1;
    if (n < 0) continue;
    ir::ValueId& operand = file.nodes[static_cast<std::size_t>(n)].inputs.at(2);
    const ir::Value& old = file.value(operand);
    operand = file.add_constant(old.name + "_rounded", Tensor::from<float>(old.shape, bias.real));
  }
  return ir::without_dead_nodes(file);
}

}  // namespace halftone::lower
