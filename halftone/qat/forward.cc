#include "halftone/qat/forward.h"

#include "halftone/ir/interpreter.h"
#include "halftone/qat/torch_graph.h"

namespace halftone::qat {

std::vector<Tensor> forward(const ir::Graph& graph, std::span<const Tensor> inputs) {
  const at::NoGradGuard no_grad;
  const TorchGraph torch_graph(graph);
  ir::check_inputs(graph, inputs);
  std::vector<torch::Tensor> views;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    views.push_back(view_as_torch(inputs[i], graph.value(graph.inputs[i]).name));
  std::vector<Tensor> outputs;
  for (const torch::Tensor& output : torch_graph.run(views)) outputs.push_back(from_torch(output));
  return outputs;
}

}  // namespace halftone::qat
