#include "cli/testbench_manifest.h"

#include <algorithm>

#include "halftone/numeric/rounding.h"
#include "halftone/qgraph/sums.h"

namespace halftone::cli {
namespace {

// The node of the file that goes by the layer's name, or gives its integers; nullptr where there is none.
const ir::Node* node_in_file(const ir::Graph& file, const qgraph::QuantizedGraph& graph, const qgraph::Node& node) {
  for (const ir::Node& each : file.nodes)
    if (!node.name.empty() && each.name == node.name) return &each;
  const std::string& value = graph.value(node.output()).name;
  for (const ir::Node& each : file.nodes)
    if (std::ranges::any_of(each.outputs, [&](ir::ValueId id) { return file.value(id).name == value; })) return &each;
  return nullptr;
}

OrderedJson window_json(const ir::PlaneAxes& axes) {
  OrderedJson list = OrderedJson::array();
  for (const ir::WindowAxis& axis : axes)
    list.push_back({{"in", axis.in}, {"out", axis.out}, {"kernel", axis.kernel}, {"stride", axis.stride}, {"dilation", axis.dilation},
                    {"pad_begin", axis.pad_begin}, {"pad_end", axis.pad_end}});
  return list;
}

// The operator's own settings. Windows are those of two dimensions; one of size 1 stands before a single one.
struct Settings {
  template <typename Op>
  OrderedJson operator()(const Op&) const {
    return OrderedJson::object();
  }
  OrderedJson operator()(const qgraph::Island& op) const {
    OrderedJson nodes = OrderedJson::array();
    for (std::size_t n = 0; n < op.graph.nodes.size(); ++n)
      nodes.push_back({{"name", op.graph.nodes[n].name}, {"op", ir::name_of(op.graph.nodes[n].op)}, {"reason", op.reasons.at(n).text}});
    return {{"float", std::move(nodes)}};
  }
  OrderedJson operator()(const qgraph::Conv& op) const {
    return {{"window", window_json(op.axes)}, {"groups", op.groups}, {"spread", op.spread}, {"transposed", op.transposed}};
  }
  OrderedJson operator()(const qgraph::MaxPool& op) const { return {{"window", window_json(op.axes)}}; }
  OrderedJson operator()(const qgraph::AveragePool& op) const {
    return {{"window", window_json(op.axes)}, {"count_include_pad", op.count_include_pad}, {"counts", op.counts}};
  }
  OrderedJson operator()(const qgraph::Table& op) const { return {{"function", op.function}, {"first_input", op.x_qmin}, {"channels", op.channels}}; }
  OrderedJson operator()(const qgraph::Add& op) const { return {{"subtract", op.subtract}}; }
  OrderedJson operator()(const qgraph::Quantize& op) const { return {{"rounding", numeric::name_of(op.rounding)}}; }
  OrderedJson operator()(const qgraph::Concat& op) const { return {{"axis", op.axis}}; }
  OrderedJson operator()(const qgraph::Pad& op) const { return {{"before", op.before}, {"after", op.after}, {"value", op.value}}; }
  OrderedJson operator()(const qgraph::Extreme& op) const { return {{"largest", op.largest}}; }
  OrderedJson operator()(const qgraph::Move& op) const {
    OrderedJson axes = OrderedJson::array();
    for (const qgraph::MovedAxis& axis : op.axes) axes.push_back({{"source", axis.source}, {"at", axis.at ? OrderedJson(*axis.at) : OrderedJson()}});
    return {{"view", op.view}, {"axes", std::move(axes)}};
  }
};

}  // namespace

OrderedJson layer_json(const ir::Graph& file, const qgraph::QuantizedGraph& graph, const qgraph::Node& node, const TestbenchNames& names) {
  const ir::Node* known = node_in_file(file, graph, node);
  OrderedJson layer{{"name", node.name},
                    {"node", known == nullptr ? OrderedJson() : OrderedJson(known->name)},
                    {"node_op", known == nullptr ? OrderedJson() : OrderedJson(ir::name_of(known->op))},
                    {"files", names.file},
                    {"identifier", names.identifier},
                    {"op", qgraph::name_of(node.op)}};
  layer.update(std::visit(Settings{}, node.op));
  if (const qgraph::Requantizer* requantizer = qgraph::requantizer_of(node.op)) {
    layer["rounding"] = numeric::name_of(requantizer->rounding);
    layer["bounds"] = {requantizer->bounds.lo, requantizer->bounds.hi};
  }
  return layer;
}

}  // namespace halftone::cli
