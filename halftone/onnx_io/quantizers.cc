#include "halftone/onnx_io/quantizers.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/numeric/arithmetic_spec.h"

namespace halftone::onnx_io {
namespace {

// The one scale and zero point of integers that are not constants, or nothing.
std::optional<numeric::QuantParams> params_of(const ir::Graph& graph, const ir::Node& node, const ir::QuantizeLinear& op) {
  const Tensor* scale = graph.constant(node.inputs[1]);
  const bool has_zero = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
  const Tensor* zero = has_zero ? graph.constant(node.inputs[2]) : nullptr;
  if (scale == nullptr || scale->size() != 1 || (has_zero && zero == nullptr)) return std::nullopt;
  const ir::Value& q = graph.value(node.outputs[0]);
  const auto params = ir::linear_params(op, *scale, zero, q.dtype, q.shape, ir::describe(graph, node));
  return params.granularity == numeric::Granularity::tensor ? std::optional(params) : std::nullopt;
}

ir::Clip bounds_of(const numeric::QuantParams& params) {
  return {.lo = numeric::dequantize(params.format.qmin(), params.tensor()),
          .hi = numeric::dequantize(params.format.qmax(), params.tensor())};
}

// The bits whose bounds these are, of those that files keep in this type; 0: none.
int bits_within(const ir::Clip& clip, numeric::QuantParams params) {
  const DType type = numeric::storage_dtype(params.format);
  for (numeric::IntegerFormat& format = params.format; format.bits > 1;) {
    --format.bits;
    if (numeric::storage_dtype(format) != type) return 0;
    const std::int32_t z = params.tensor().zero_point;
    if (z >= format.qmin() && z <= format.qmax() && clip == bounds_of(params)) return format.bits;
  }
  return 0;
}

}  // namespace

ir::Graph with_clips(ir::Graph graph) {
  ir::Nodes before = std::move(graph.nodes);
  graph.nodes.clear();
  for (ir::Node& node : before) {
    auto* quantize = std::get_if<ir::QuantizeLinear>(&node.op);
    if (quantize != nullptr && quantize->bits != 0) {
      if (const auto params = params_of(graph, node, *quantize)) {
        const std::string name = graph.value(node.outputs[0]).name + "_bounded";
        node.inputs[0] = graph.add_node(bounds_of(*params), {node.inputs[0]}, name);
        graph.nodes.back().name = name;
        quantize->bits = 0;
      }
    }
    graph.nodes.push_back(std::move(node));
  }
  return graph;
}

ir::Graph without_clips(ir::Graph graph) {
  const bool says = graph.metadata.contains(std::string(numeric::kRoundingKey));
  const numeric::Rounding rounding = says ? numeric::read_arithmetic(graph.metadata).rounding : numeric::Rounding::half_even;
  const std::vector<int> producers = ir::producers(graph);
  const std::vector<int> uses = ir::use_counts(graph);
  bool found = false;
  for (ir::Node& node : graph.nodes) {
    auto* quantize = std::get_if<ir::QuantizeLinear>(&node.op);
    if (quantize == nullptr) continue;
    if (graph.constant(node.inputs[0]) == nullptr) quantize->rounding = rounding;
    const int before = producers[static_cast<std::size_t>(node.inputs[0])];
    if (before < 0 || uses[static_cast<std::size_t>(node.inputs[0])] != 1) continue;
    const ir::Node& producer = graph.nodes[static_cast<std::size_t>(before)];
    const auto* clip = std::get_if<ir::Clip>(&producer.op);
    const auto params = clip == nullptr ? std::nullopt : params_of(graph, node, *quantize);
    const int bits = params ? bits_within(*clip, *params) : 0;
    if (bits == 0) continue;
    quantize->bits = bits;
    node.inputs[0] = producer.inputs[0];
    found = true;
  }
  return found ? ir::without_dead_nodes(graph) : graph;
}

}  // namespace halftone::onnx_io
