#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/onnx_io/importers.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

ir::Op import_clip(NodeReader& node) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  ir::Clip op;
  if (node.opset() < 11) {
    op = {.lo = node.real("min", -kInfinity), .hi = node.real("max", kInfinity)};
  } else {
    op = {.lo = static_cast<float>(node.scalar_input(1, "min", -kInfinity)),
          .hi = static_cast<float>(node.scalar_input(2, "max", kInfinity))};
    node.keep_first_of(3);
  }
  if (std::isnan(op.lo) || std::isnan(op.hi))
    throw InputError(node.describe(), "bound is not a number (NaN)");
  return op;
}

ir::Op import_selu(NodeReader& node) {
  return ir::Selu{.alpha = node.real("alpha", ir::Selu{}.alpha),
                  .gamma = node.real("gamma", ir::Selu{}.gamma)};
}

ir::Op import_hard_sigmoid(NodeReader& node) {
  return ir::HardSigmoid{.alpha = node.real("alpha", 0.2F), .beta = node.real("beta", 0.5F)};
}

ir::Op import_gelu(NodeReader& node) {
  const std::string mode = node.text("approximate", "none");
  if (mode != "none" && mode != "tanh")
    throw InputError(node.describe(), fmt::format("approximate '{}', expected none or tanh", mode));
  return ir::Gelu{.tanh_approximation = mode == "tanh"};
}

}  // namespace

std::span<const ImporterRow> elementwise_importers() {
  static constexpr ImporterRow kRows[] = {
      {"Abs", import_plain<ir::Abs>},
      {"Add", import_plain<ir::Add>},
      {"Clip", import_clip},
      {"Div", import_plain<ir::Div>},
      {"Elu", import_alpha<ir::Elu>},
      {"Equal", import_plain<ir::Equal>},
      {"Erf", import_plain<ir::Erf>},
      {"Exp", import_plain<ir::Exp>},
      {"Gelu", import_gelu},
      {"Greater", import_plain<ir::Greater>},
      {"GreaterOrEqual", import_plain<ir::GreaterOrEqual>},
      {"HardSigmoid", import_hard_sigmoid},
      {"HardSwish", import_plain<ir::HardSwish>},
      {"LeakyRelu", import_alpha<ir::LeakyRelu>},
      {"Less", import_plain<ir::Less>},
      {"LessOrEqual", import_plain<ir::LessOrEqual>},
      {"Log", import_plain<ir::Log>},
      {"Max", import_plain<ir::Max>},
      {"Mean", import_plain<ir::Mean>},
      {"Min", import_plain<ir::Min>},
      {"Mul", import_plain<ir::Mul>},
      {"Neg", import_plain<ir::Neg>},
      {"Pow", import_plain<ir::Pow>},
      {"PRelu", import_plain<ir::PRelu>},
      {"Reciprocal", import_plain<ir::Reciprocal>},
      {"Relu", import_plain<ir::Relu>},
      {"Round", import_plain<ir::Round>},
      {"Selu", import_selu},
      {"Sigmoid", import_plain<ir::Sigmoid>},
      {"Sqrt", import_plain<ir::Sqrt>},
      {"Sub", import_plain<ir::Sub>},
      {"Sum", import_plain<ir::Sum>},
      {"Swish", import_alpha<ir::Swish>},
      {"Tanh", import_plain<ir::Tanh>},
  };
  return kRows;
}

}  // namespace halftone::onnx_io
