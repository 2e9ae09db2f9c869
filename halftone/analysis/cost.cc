#include "halftone/analysis/cost.h"

#include "halftone/ir/work.h"
#include "halftone/numeric/energy.h"
#include "halftone/quant/weights.h"

namespace halftone::analysis {
namespace {

constexpr int kAccumulatorBits = 32;
constexpr int kScaleBytes = 4;

std::int64_t elements(const Shape& shape) {
  std::int64_t count = 1;
  for (std::int64_t dim : shape) count *= dim == kDynamic ? 1 : dim;
  return count;
}

std::int64_t scales_of(const Shape& w, int axis, const quant::WeightRecipe& weights) {
  if (weights.granularity == numeric::Granularity::tensor) return 1;
  const std::int64_t channels = w.at(static_cast<std::size_t>(axis));
  if (weights.granularity == numeric::Granularity::channel) return channels;
  const std::int64_t inputs = w.at(static_cast<std::size_t>(1 - axis));
  return channels * ((inputs + weights.group_size - 1) / weights.group_size);
}

double bytes(const LayerWork& work, int weight_bits) {
  const std::int64_t packed = (work.weights * weight_bits + 7) / 8;
  return static_cast<double>(packed + (work.biases * work.bias_bits + 7) / 8 + work.scales * kScaleBytes);
}

double energy(const LayerWork& work, int weight_bits, int input_bits) {
  const double multiply_add =
      numeric::multiplication_energy(weight_bits, input_bits) + numeric::addition_energy(kAccumulatorBits);
  return static_cast<double>(work.multiply_adds) * multiply_add +
         static_cast<double>(work.weights * weight_bits + work.biases * work.bias_bits) * numeric::kDramPerBit +
         static_cast<double>(work.inputs * input_bits) * numeric::kSramPerBit;
}

}  // namespace

LayerWork work_of(const ir::Graph& graph, const ir::Node& node, const quant::WeightRecipe& weights) {
  const Shape& x = graph.value(node.inputs[0]).shape;
  const Shape& w = graph.value(node.inputs[1]).shape;
  return {.weights = elements(w),
          .biases = static_cast<std::int64_t>(quant::float_bias(graph, node).size()),
          .bias_bits = weights.bias_bits,
          .scales = scales_of(w, ir::weight_axis(node.op), weights),
          .inputs = elements(x),
          .multiply_adds = ir::multiply_adds(node.op, x, w, graph.value(node.outputs[0]).shape)};
}

double cost_of(Budget budget, const LayerWork& work, int weight_bits, int input_bits) {
  switch (budget) {
    case Budget::bytes:
      return bytes(work, weight_bits);
    case Budget::bit_operations:
      return static_cast<double>(work.multiply_adds * weight_bits * input_bits);
    case Budget::energy:
      return energy(work, weight_bits, input_bits);
  }
  return 0.0;
}

}  // namespace halftone::analysis
