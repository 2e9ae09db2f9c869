#include "halftone/qat/torch_graph.h"

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/qat/torch_ops.h"

namespace halftone::qat {
namespace {

torch::Tensor run_op(const ir::Op& op, TorchInputs inputs) {
  return std::visit(
      [&]<typename Op>(const Op& known) -> torch::Tensor {
        if constexpr (HasTorchForm<Op>) return torch_form(known, inputs);
        throw std::logic_error("an op without a torch form");
      },
      op);
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

bool has_torch_form(const ir::Op& op) {
  return std::visit([]<typename Op>(const Op&) { return HasTorchForm<Op>; }, op);
}

bool is_statistic(const ir::Node& node, std::size_t input) {
  return std::holds_alternative<ir::BatchNormalization>(node.op) && input >= 3;
}

// Which values are constants that training changes.
std::vector<bool> find_parameters(const ir::Graph& graph) {
  std::vector<bool> read(graph.values.size(), false);
  std::vector<bool> frozen(graph.values.size(), false);
  for (const ir::Node& node : graph.nodes)
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Tensor* constant = graph.constant(node.inputs[i]);
      if (constant == nullptr) continue;
      const auto id = static_cast<std::size_t>(node.inputs[i]);
      read[id] = true;
      if (constant->dtype() != DType::float32 || is_statistic(node, i)) frozen[id] = true;
    }
  for (std::size_t id = 0; id < read.size(); ++id) read[id] = read[id] && !frozen[id];
  return read;
}

}  // namespace

TorchGraph::TorchGraph(ir::Graph graph) : graph_(std::move(graph)), constants_(graph_.values.size()) {
  for (const ir::Node& node : graph_.nodes)
    if (!has_torch_form(node.op))
      throw UnsupportedError("train",
                             fmt::format("{} has no form that can be trained", ir::describe(graph_, node)));
  const std::vector<bool> is_parameter = find_parameters(graph_);
  for (std::size_t id = 0; id < graph_.values.size(); ++id) {
    const ir::Value& value = graph_.values[id];
    if (!value.constant) continue;
    constants_[id] = view_as_torch(*value.constant, value.name).clone();
    if (!is_parameter[id]) continue;
    constants_[id].requires_grad_();
    parameters_.push_back({value.name, constants_[id]});
  }
}

std::vector<torch::Tensor> TorchGraph::run(std::span<const torch::Tensor> inputs, Passage* passage) const {
  std::vector<torch::Tensor> values = constants_;
  const auto set = [&](ir::ValueId id, const torch::Tensor& computed) {
    values[static_cast<std::size_t>(id)] = passage == nullptr ? computed : passage->result(id, computed);
  };
  if (passage != nullptr) passage->begin();
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) set(graph_.inputs[i], inputs[i]);
  std::vector<torch::Tensor> arguments;
  for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
    const ir::Node& node = graph_.nodes[n];
    arguments.clear();
    for (ir::ValueId id : node.inputs) {
      arguments.push_back(id == ir::kNoValue ? torch::Tensor() : values[static_cast<std::size_t>(id)]);
      if (passage != nullptr && id != ir::kNoValue && constants_[static_cast<std::size_t>(id)].defined())
        arguments.back() = passage->operand(n, arguments.size() - 1, arguments.back());
    }
    try {
      set(node.outputs.at(0), run_op(node.op, arguments));
    } catch (const c10::Error& error) {
      throw UnsupportedError(ir::describe(graph_, node), first_line(error.what_without_backtrace()));
    }
  }
  std::vector<torch::Tensor> outputs;
  for (ir::ValueId id : graph_.outputs) outputs.push_back(values[static_cast<std::size_t>(id)]);
  return outputs;
}

torch::Tensor view_as_torch(const Tensor& tensor, std::string_view where) {
  if (tensor.dtype() != DType::float32 && tensor.dtype() != DType::int64)
    throw UnsupportedError("train", fmt::format("'{}' has element type {}, expected float32 or int64", where,
                                                name_of(tensor.dtype())));
  const auto type = tensor.dtype() == DType::float32 ? at::kFloat : at::kLong;
  // from_blob takes no pointer to const; nothing writes through the view.
  return at::from_blob(const_cast<std::byte*>(tensor.bytes().data()), tensor.shape(), type);
}

Tensor from_torch(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.detach().to(at::kFloat).contiguous();
  return Tensor::from<float>(dense.sizes().vec(),
                             std::span(dense.data_ptr<float>(), static_cast<std::size_t>(dense.numel())));
}

}  // namespace halftone::qat
