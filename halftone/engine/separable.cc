#include "halftone/engine/separable.h"

#include <algorithm>

namespace halftone::engine {
namespace {

// One row of the first dimension after another, for whatever there are.
bool grows_with_batch(const Shape& one, const Shape& two) {
  if (one.empty() || one.size() != two.size() || two[0] != 2 * one[0]) return false;
  return std::equal(one.begin() + 1, one.end(), two.begin() + 1);
}

// Whether the node of an island computes each row of its first dimension by itself.
struct RowByRow {
  std::size_t rank;

  bool operator()(const ir::Softmax& op) const { return normalize_axis(op.axis, rank, "axis") != 0; }
  bool operator()(const ir::LogSoftmax& op) const { return normalize_axis(op.axis, rank, "axis") != 0; }
  template <typename T>
  bool operator()(const T&) const {
    return ir::Unary<T>;
  }
};

bool is_row_by_row(const ir::Graph& island) {
  return std::ranges::all_of(island.nodes, [&](const ir::Node& node) {
    const std::size_t rank = island.value(node.inputs.at(0)).shape.size();
    return rank > 0 && std::visit(RowByRow{rank}, node.op);
  });
}

class Separable {
 public:
  Separable(const qgraph::Node& node, const std::vector<Shape>& shapes) : y_(shapes[static_cast<std::size_t>(node.output())]) {
    for (qgraph::ValueId id : node.inputs) x_.push_back(shapes[static_cast<std::size_t>(id)]);
  }

  bool operator()(const qgraph::Island& op) const { return is_row_by_row(op.graph); }
  bool operator()(const qgraph::Constant&) const { return false; }
  bool operator()(const qgraph::Gemm&) const { return x_[0].size() > 1; }
  bool operator()(const qgraph::Concat& op) const { return op.axis != 0; }
  bool operator()(const qgraph::Pad& op) const { return op.before[0] == 0 && op.after[0] == 0; }
  bool operator()(const qgraph::Move& op) const {
    if (op.axes.empty()) return true;
    return (op.view.empty() || op.view[0] == kDynamic) && op.axes[0].source == 0 && !op.axes[0].at;
  }
  // Arithmetic onnx looks at all dimensions for the order of operands, the batch's among them.
  bool operator()(const qgraph::Add& op) const {
    return have_one_rank() && (!op.requantizer.is_float() || product(y_, 1, y_.size()) != 1);
  }
  bool operator()(const qgraph::Mul&) const { return have_one_rank(); }
  bool operator()(const qgraph::Extreme&) const { return have_one_rank(); }
  template <typename T>
  bool operator()(const T&) const {
    return true;
  }

 private:
  bool have_one_rank() const {
    return std::ranges::all_of(x_, [&](const Shape& x) { return x.size() == y_.size(); });
  }

  std::vector<Shape> x_;
  Shape y_;
};

}  // namespace

bool is_separable(const qgraph::QuantizedGraph& graph) {
  for (qgraph::ValueId id : graph.inputs)
    if (const Shape& shape = graph.value(id).shape; shape.empty() || shape[0] != kDynamic) return false;
  const std::vector<Shape> one = qgraph::shapes_of_batch(graph, 1);
  const std::vector<Shape> two = qgraph::shapes_of_batch(graph, 2);
  for (std::size_t v = 0; v < one.size(); ++v)
    if (!grows_with_batch(one[v], two[v])) return false;
  return std::ranges::all_of(graph.nodes, [&](const qgraph::Node& node) { return std::visit(Separable(node, one), node.op); });
}

}  // namespace halftone::engine
