// The whole road on random networks: quantize, lower, integers against simulation.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "halftone/analysis/verify.h"
#include "tests/analysis/network.h"

namespace halftone::analysis {
namespace {

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

Tensor any_weights(Shape shape, float factor) {
  Tensor tensor = ir::random_floats(std::move(shape), static_cast<std::uint64_t>(choose(1 << 30)));
  for (float& v : tensor.mutable_data<float>()) v *= factor;
  return tensor;
}

ir::ValueId any_of(const std::vector<ir::ValueId>& values) {
  return values[static_cast<std::size_t>(choose(static_cast<int>(values.size())))];
}

// One more layer on v, of shape [N, 2, 5, 5], which it keeps; `seen` are earlier values of that shape.
ir::ValueId add_layer(ir::Graph& g, ir::ValueId v, const std::vector<ir::ValueId>& seen,
                      const std::string& name) {
  const ir::Window same{.kernel = {3, 3}, .pads = {1, 1, 1, 1}};
  switch (choose(10)) {
    case 0:
    case 1: {
      const std::int64_t groups = 1 + choose(2);
      return g.add_node(ir::Conv{same, groups},
                        {v, g.add_constant(name + "_w", any_weights({2, 2 / groups, 3, 3}, 0.2F)),
                         g.add_constant(name + "_b", any_weights({2}, 0.5F))},
                        name);
    }
    case 2:
      return g.add_node(ir::Relu{}, {v}, name);
    case 3:
      return g.add_node(ir::Clip{-1.25F, 2.0F}, {v}, name);
    case 4:
      return g.add_node(ir::Add{}, {v, any_of(seen)}, name);
    case 5:
      return g.add_node(ir::MaxPool{same}, {v}, name);
    case 6:
      return g.add_node(ir::AveragePool{same, choose(2) == 0}, {v}, name);
    case 7:
      return g.add_node(ir::PRelu{}, {v, g.add_constant(name + "_slope", any_weights({2, 1, 1}, 0.5F))},
                        name);
    case 8:
      return g.add_node(choose(2) == 0 ? ir::Op(ir::Min{}) : ir::Op(ir::Max{}), {v, any_of(seen)}, name);
    default:
      return choose(2) == 0 ? g.add_node(ir::Tanh{}, {v}, name) : g.add_node(ir::Sigmoid{}, {v}, name);
  }
}

ir::Graph any_network() {
  ir::Graph g;
  ir::ValueId v = g.add_input("x", DType::float32, {kDynamic, 2, 5, 5});
  std::vector<ir::ValueId> seen{v};
  const int layers = 1 + choose(8);
  for (int i = 0; i < layers; ++i) seen.push_back(v = add_layer(g, v, seen, "n" + std::to_string(i)));
  if (choose(3) == 0) v = g.add_node(ir::GlobalAveragePool{}, {v}, "global");
  v = g.add_node(ir::Flatten{}, {v}, "flat");
  const std::int64_t depth = g.value(v).shape[1];
  g.outputs = {g.add_node(ir::Gemm{.trans_b = true}, {v, g.add_constant("v", any_weights({3, depth}, 0.2F))},
                          "scores")};
  return g;
}

quant::Recipe any_recipe() {
  const int mode = choose(5);
  quant::Recipe recipe;
  recipe.weights.granularity = choose(2) == 0 ? numeric::Granularity::tensor : numeric::Granularity::channel;
  if (choose(2) == 0) {
    recipe.weights.scheme = numeric::Scheme::asymmetric;
    recipe.weights.format = {8, true, false};
  }
  if (choose(3) == 0) recipe.activations.scheme = numeric::Scheme::symmetric;
  if (recipe.activations.scheme == numeric::Scheme::asymmetric && choose(2) == 0)
    recipe.activations.format = {8, false, false};
  if (mode == 3 || choose(3) == 0) use_powers_of_two(recipe);
  if (mode < 3) recipe.arithmetic.mantissa_bits = 8 << mode;
  if (mode == 3) recipe.arithmetic.mode = numeric::Arithmetic::shift;
  if (mode == 4) recipe.arithmetic.mode = numeric::Arithmetic::onnx;
  return recipe;
}

RC_GTEST_PROP(RandomNetworks, AreIntegersAloneAndEveryDifferenceIsExplained, ()) {
  const ir::Graph real = any_network();
  const quant::Recipe recipe = any_recipe();
  const data::Dataset dataset = samples(20, {2, 5, 5});
  const auto ranges = quant::ranges_on(real, dataset.images);
  const ir::Graph simulated = quant::quantize(real, ranges, recipe).graph;
  ir::check(simulated);
  const qgraph::QuantizedGraph integers = lower::lower(simulated);
  RC_ASSERT(integers.integer_only());
  const Verification verification =
      verify(simulated, qgraph::Interpreter(integers), integers, dataset, {}, {.batch_size = 7});
  RC_LOG() << describe(recipe) << "\n";
  for (const LayerComparison& layer : verification.layers)
    RC_LOG() << layer.name << ": " << layer.unexplained << " unexplained of " << layer.different
             << ", tolerance " << layer.tolerance << "\n";
  std::size_t quantized = 0;
  for (const ir::Node& node : simulated.nodes)
    quantized += std::holds_alternative<ir::QuantizeLinear>(node.op) ? 1 : 0;
  RC_ASSERT(verification.layers.size() == quantized);  // no layer goes unseen
  RC_ASSERT(verification.unexplained == 0);
}

}  // namespace
}  // namespace halftone::analysis
