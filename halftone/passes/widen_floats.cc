#include <algorithm>

#include "halftone/ir/infer.h"
#include "halftone/passes/pass.h"

namespace halftone::passes {
namespace {

bool is_other_float(DType dtype) { return is_float(dtype) && dtype != DType::float32; }

}  // namespace

ir::Graph widen_floats(ir::Graph graph) {
  if (std::ranges::none_of(graph.values, [](const ir::Value& value) { return is_other_float(value.dtype); }))
    return graph;
  for (ir::Value& value : graph.values) {
    if (!is_other_float(value.dtype)) continue;
    value.dtype = DType::float32;
    if (value.constant) value.constant = value.constant->cast(DType::float32);
  }
  for (ir::Node& node : graph.nodes) {
    if (auto* cast = std::get_if<ir::Cast>(&node.op); cast != nullptr && is_other_float(cast->to))
      cast->to = DType::float32;
    if (auto* fill = std::get_if<ir::ConstantOfShape>(&node.op);
        fill != nullptr && is_other_float(fill->value.dtype()))
      fill->value = fill->value.cast(DType::float32);
  }
  ir::infer_shapes(graph);
  return graph;
}

}  // namespace halftone::passes
