#include "halftone/qat/normalized_values.h"

#include <cmath>

namespace halftone::qat {
namespace {

std::vector<float> numbers(const Tensor& tensor) { return {tensor.data<float>().begin(), tensor.data<float>().end()}; }

}  // namespace

std::map<std::string, Normalized> normalized_values(const ir::Graph& model) {
  std::map<std::string, Normalized> all;
  for (const ir::Node& node : model.nodes) {
    const auto* norm = std::get_if<ir::BatchNormalization>(&node.op);
    if (norm == nullptr) continue;
    const Tensor* scale = model.constant(node.inputs.at(1));
    const Tensor* shift = model.constant(node.inputs.at(2));
    if (scale == nullptr || shift == nullptr || scale->dtype() != DType::float32 || shift->dtype() != DType::float32) continue;
    Normalized& made = all[model.value(node.outputs[0]).name];
    made = {numbers(*shift), numbers(*scale), norm->momentum};
    for (float& each : made.deviation) each = std::abs(each);
  }
  return all;
}

}  // namespace halftone::qat
