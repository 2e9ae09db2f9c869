// Convolutions of every geometry, with sums bounded as compare.h derives.
#include "tests/float_engine/compare.h"

namespace halftone::float_engine {
namespace {

struct Case {
  std::int64_t batch, groups, depth, outputs;  // channels in and out of one group
  std::int64_t height, width;
  ir::Window window;
  bool bias;
};

std::int64_t extent(const Case& c, std::size_t axis) {
  return (c.window.kernel[axis] - 1) * c.window.dilations[axis] + 1;
}

Case random_case() {
  Case c{.batch = 1 + choose(3)};
  const bool depthwise = choose(3) == 0;
  c.groups = depthwise ? *rc::gen::element<std::int64_t>(1, 3, 8, 16, 17, 24, 33) : 1 + choose(3);
  c.depth = depthwise ? 1 : *rc::gen::element<std::int64_t>(1, 2, 3, 7, 8, 16, 17);
  c.outputs = depthwise ? 1 + choose(2) : *rc::gen::element<std::int64_t>(1, 2, 5, 8, 16, 17);
  for (int axis = 0; axis < 2; ++axis) {
    c.window.kernel.push_back(1 + choose(4));
    c.window.strides.push_back(1 + choose(3));
    c.window.dilations.push_back(1 + choose(3));
  }
  for (int side = 0; side < 4; ++side) c.window.pads.push_back(choose(4));
  c.height = std::max<std::int64_t>(1, extent(c, 0) - c.window.pads[0] - c.window.pads[2]) + choose(12);
  c.width = std::max<std::int64_t>(1, extent(c, 1) - c.window.pads[1] - c.window.pads[3]) + choose(20);
  c.bias = choose(2) == 0;
  return c;
}

ir::Graph graph_of(const Case& c) {
  ir::OneNode node;
  node.input({kDynamic, c.groups * c.depth, c.height, c.width});
  node.constant(
      ir::random_floats({c.groups * c.outputs, c.depth, c.window.kernel[0], c.window.kernel[1]}, any_seed()));
  if (c.bias) node.constant(ir::random_floats({c.groups * c.outputs}, any_seed()));
  return node.with(ir::Conv{.window = c.window, .groups = c.groups});
}

RC_GTEST_PROP(Conv, OfAnyGeometryIsTheInterpretersWithinRounding, ()) {
  const Case c = random_case();
  const ir::Graph graph = graph_of(c);
  Shape shape = graph.value(graph.inputs[0]).shape;
  shape[0] = c.batch;
  const std::int64_t terms = c.depth * c.window.kernel[0] * c.window.kernel[1];
  const auto found = linear_difference(graph, {ir::random_floats(shape, any_seed())}, terms);
  if (found) RC_FAIL(*found);
}

RC_GTEST_PROP(Conv, TakesComputedWeights, ()) {
  ir::OneNode node;
  const std::int64_t groups = 1 + choose(2);
  const Shape x{2, groups * 3, 5, 6};
  const Shape w{groups * 4, 3, 3, 2};
  const ir::Graph graph = node.input(x).input(w).input({groups * 4}).with(ir::Conv{.groups = groups});
  const auto found = linear_difference(graph,
                                       {ir::random_floats(x, any_seed()), ir::random_floats(w, any_seed()),
                                        ir::random_floats({groups * 4}, any_seed())},
                                       18);
  if (found) RC_FAIL(*found);
}

TEST(Conv, SamePaddingAsTheAttributeSays) {
  for (const auto mode : {ir::AutoPad::same_upper, ir::AutoPad::same_lower, ir::AutoPad::valid}) {
    ir::OneNode node;
    node.input({1, 2, 8, 7}).constant(ir::random_floats({3, 2, 3, 2}, 1));
    const ir::Graph graph = node.with(ir::Conv{.window = {.strides = {2, 2}, .auto_pad = mode}});
    EXPECT_EQ(linear_difference(graph, {ir::random_floats({1, 2, 8, 7}, 2)}, 12), std::nullopt);
  }
}

}  // namespace
}  // namespace halftone::float_engine
