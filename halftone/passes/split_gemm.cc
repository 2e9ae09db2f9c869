#include <fmt/format.h>

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/numeric/svd.h"
#include "halftone/passes/pass.h"
#include "halftone/passes/rewrite.h"

namespace halftone::passes {
namespace {

// The least rank that keeps this part of Σs².
std::int64_t rank_of_energy(const std::vector<double>& s, double part) {
  double all = 0.0;
  for (double value : s) all += value * value;
  double kept = 0.0;
  std::int64_t rank = 0;
  while (rank < static_cast<std::int64_t>(s.size()) && (rank == 0 || kept < part * all)) {
    const double value = s[static_cast<std::size_t>(rank++)];
    kept += value * value;
  }
  return rank;
}

// √s_k of both factors: each is of the same size.
Tensor factor(const std::vector<double>& columns, const numeric::Svd& svd, std::int64_t rank,
              bool transposed) {
  const auto all = static_cast<std::size_t>(svd.size());
  const std::size_t length = columns.size() / all;
  const auto kept = static_cast<std::size_t>(rank);
  Tensor result(DType::float32, transposed ? Shape{rank, static_cast<std::int64_t>(length)}
                                           : Shape{static_cast<std::int64_t>(length), rank});
  auto values = result.mutable_data<float>();
  for (std::size_t i = 0; i < length; ++i)
    for (std::size_t k = 0; k < kept; ++k)
      values[transposed ? k * length + i : i * kept + k] =
          static_cast<float>(columns[i * all + k] * std::sqrt(svd.s[k]));
  return result;
}

// Whether the node is a product of rows [N, K] with constant weights of which a lower rank has fewer.
bool is_target(const ir::Graph& graph, const ir::Node& node, double rank) {
  const auto* gemm = std::get_if<ir::Gemm>(&node.op);
  if (gemm == nullptr || gemm->trans_a || !has_plain_factors(node) || weight_channels(graph, node) == 0)
    return false;
  const Tensor& w = *graph.constant(node.inputs[1]);
  const double least = rank < 1.0 ? 1.0 : rank;
  return least * static_cast<double>(w.dim(0) + w.dim(1)) < static_cast<double>(w.size());
}

// The two that take the node's place, or the node.
std::vector<ir::Node> split(ir::Graph& graph, const ir::Node& node, double rank) {
  const Tensor w = *graph.constant(node.inputs[1]);  // a copy: constants are added
  const auto weights = w.data<float>();
  const std::int64_t rows = w.dim(0);
  const std::int64_t columns = w.dim(1);
  const numeric::Svd svd = numeric::svd(std::vector<double>(weights.begin(), weights.end()), rows, columns);
  const std::int64_t kept = rank < 1.0 ? rank_of_energy(svd.s, rank) : static_cast<std::int64_t>(rank);
  if (kept * (rows + columns) >= w.size()) return {node};
  const bool trans_b = std::get<ir::Gemm>(node.op).trans_b;
  const ir::Value y = graph.value(node.outputs[0]);
  const std::string name = graph.value(node.inputs[1]).name;
  // Stored as they were: [K, r] and [r, M], or with trans_b [r, K] and [M, r].
  const ir::ValueId taken = graph.add_constant(
      name + "_taken", trans_b ? factor(svd.v, svd, kept, true) : factor(svd.u, svd, kept, false));
  const ir::ValueId given = graph.add_constant(
      name + "_given", trans_b ? factor(svd.u, svd, kept, false) : factor(svd.v, svd, kept, true));
  const ir::ValueId between = graph.add_value(y.name + "_rank", y.dtype, {y.shape[0], kept});
  ir::Node second{node.name, node.op, node.inputs, node.outputs};
  second.inputs[0] = between;
  second.inputs[1] = given;
  return {{node.name + "_rank", ir::Gemm{.trans_b = trans_b}, {node.inputs[0], taken}, {between}}, second};
}

}  // namespace

bool is_rank(double rank) {
  return rank > 0.0 && (rank < 1.0 || (rank == std::floor(rank) && rank <= 0x1p+31));
}

ir::Graph split_gemm(ir::Graph graph, double rank) {
  if (!is_rank(rank))
    throw UsageError(
        "split_gemm",
        fmt::format("rank, got {}, expected a whole number, or a part of the energy below 1", rank));
  ir::Nodes nodes;
  const ir::Nodes before = std::move(graph.nodes);
  for (const ir::Node& node : before) {
    if (!is_target(graph, node, rank)) {
      nodes.push_back(node);
      continue;
    }
    for (ir::Node& part : split(graph, node, rank)) nodes.push_back(std::move(part));
  }
  graph.nodes = std::move(nodes);
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::passes
