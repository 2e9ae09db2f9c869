// Conv and pools against loops written out here.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::ElementsAre;

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

// One dimension, as the ONNX specification of the operators states it.
struct Axis {
  std::int64_t in, kernel, stride, dilation, begin, end, out;
};

Axis any_axis(AutoPad mode, bool ceil) {
  Axis a{.in = 1 + choose(9),
         .kernel = 1 + choose(4),
         .stride = 1 + choose(3),
         .dilation = 1 + choose(3),
         .begin = 0,
         .end = 0,
         .out = 0};
  const std::int64_t extent = (a.kernel - 1) * a.dilation + 1;
  if (mode == AutoPad::not_set) {
    a.begin = choose(static_cast<int>(extent));
    a.end = choose(static_cast<int>(extent));
  } else if (mode != AutoPad::valid) {
    const std::int64_t out = (a.in + a.stride - 1) / a.stride;
    const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * a.stride + extent - a.in);
    a.begin = mode == AutoPad::same_upper ? total / 2 : (total + 1) / 2;
    a.end = total - a.begin;
  }
  RC_PRE(a.in + a.begin + a.end >= extent);
  const double positions =
      static_cast<double>(a.in + a.begin + a.end - extent) / static_cast<double>(a.stride);
  a.out = static_cast<std::int64_t>(ceil ? std::ceil(positions) : std::floor(positions)) + 1;
  // A last window that would start in the end padding is left out.
  if (ceil && (a.out - 1) * a.stride >= a.in + a.begin) --a.out;
  return a;
}

AutoPad any_mode() {
  return std::array{AutoPad::not_set, AutoPad::not_set, AutoPad::same_upper, AutoPad::same_lower,
                    AutoPad::valid}[static_cast<std::size_t>(choose(5))];
}

Window window_of(const Axis& h, const Axis& w, AutoPad mode, bool ceil) {
  Window window{.kernel = {h.kernel, w.kernel},
                .strides = {h.stride, w.stride},
                .dilations = {h.dilation, w.dilation},
                .auto_pad = mode,
                .ceil_mode = ceil};
  if (mode == AutoPad::not_set) window.pads = {h.begin, w.begin, h.end, w.end};
  return window;
}

RC_GTEST_PROP(Conv, IsSevenLoops, ()) {
  const AutoPad mode = any_mode();
  const Axis h = any_axis(mode, false), w = any_axis(mode, false);
  const std::int64_t batch = 1 + choose(2), groups = 1 + choose(3), depth = 1 + choose(3),
                     per_group = 1 + choose(3);
  const std::int64_t channels = groups * per_group;
  const auto seed = static_cast<std::uint64_t>(choose(1 << 30));
  const Tensor x = random_floats({batch, groups * depth, h.in, w.in}, seed);
  const Tensor k = random_floats({channels, depth, h.kernel, w.kernel}, seed + 1);
  const Tensor b = random_floats({channels}, seed + 2);
  const bool has_bias = choose(2) == 0;
  std::vector<Tensor> operands{x, k};
  if (has_bias) operands.push_back(b);
  const Tensor y = apply_op(Conv{window_of(h, w, mode, false), groups}, operands);
  RC_ASSERT(y.shape() == (Shape{batch, channels, h.out, w.out}));
  const auto at = [](const Tensor& t, std::int64_t i, std::int64_t j, std::int64_t r, std::int64_t c) {
    return double{
        t.data<float>()[static_cast<std::size_t>(((i * t.dim(1) + j) * t.dim(2) + r) * t.dim(3) + c)]};
  };
  for (std::int64_t n = 0; n < batch; ++n)
    for (std::int64_t m = 0; m < channels; ++m)
      for (std::int64_t r = 0; r < h.out; ++r)
        for (std::int64_t c = 0; c < w.out; ++c) {
          double sum = has_bias ? b.data<float>()[static_cast<std::size_t>(m)] : 0.0;
          for (std::int64_t d = 0; d < depth; ++d)
            for (std::int64_t i = 0; i < h.kernel; ++i)
              for (std::int64_t j = 0; j < w.kernel; ++j) {
                const std::int64_t ih = r * h.stride - h.begin + i * h.dilation;
                const std::int64_t iw = c * w.stride - w.begin + j * w.dilation;
                if (ih >= 0 && ih < h.in && iw >= 0 && iw < w.in)
                  sum += at(x, n, m / per_group * depth + d, ih, iw) * at(k, m, d, i, j);
              }
          RC_ASSERT(at(y, n, m, r, c) ==
                    static_cast<double>(static_cast<float>(sum)));  // the products are exact
        }
}

template <typename F>
void for_pool(const Tensor& y, const Axis& h, const Axis& w, F&& each) {
  std::size_t next = 0;
  for (std::int64_t p = 0; p < y.dim(0) * y.dim(1); ++p)
    for (std::int64_t r = 0; r < h.out; ++r)
      for (std::int64_t c = 0; c < w.out; ++c) each(p, r, c, y.data<float>()[next++]);
}

RC_GTEST_PROP(MaxPool, IsTheLargestInsideTheInput, ()) {
  const AutoPad mode = any_mode();
  const bool ceil = choose(2) == 0;
  const Axis h = any_axis(mode, ceil), w = any_axis(mode, ceil);
  const Tensor x = random_floats({2, 2, h.in, w.in}, static_cast<std::uint64_t>(choose(1 << 30)));
  bool empty = false;
  const auto largest = [&](std::int64_t p, std::int64_t r, std::int64_t c) {
    float best = -INFINITY;
    for (std::int64_t i = 0; i < h.kernel; ++i)
      for (std::int64_t j = 0; j < w.kernel; ++j) {
        const std::int64_t ih = r * h.stride - h.begin + i * h.dilation;
        const std::int64_t iw = c * w.stride - w.begin + j * w.dilation;
        if (ih >= 0 && ih < h.in && iw >= 0 && iw < w.in)
          best = std::max(best, x.data<float>()[static_cast<std::size_t>((p * h.in + ih) * w.in + iw)]);
      }
    return best;
  };
  for (std::int64_t r = 0; r < h.out; ++r)
    for (std::int64_t c = 0; c < w.out; ++c) empty = empty || std::isinf(largest(0, r, c));
  RC_PRE(!empty);  // a window that sees padding alone is refused
  const Tensor y = apply_op(MaxPool{window_of(h, w, mode, ceil)}, {x});
  RC_ASSERT(y.shape() == (Shape{2, 2, h.out, w.out}));
  for_pool(y, h, w, [&](std::int64_t p, std::int64_t r, std::int64_t c, float got) {
    RC_ASSERT(got == largest(p, r, c));
  });
}

RC_GTEST_PROP(AveragePool, IsTheMeanOfWhatCounts, ()) {
  const AutoPad mode = any_mode();
  const bool ceil = choose(2) == 0, include = choose(2) == 0;
  const Axis h = any_axis(mode, ceil), w = any_axis(mode, ceil);
  const Tensor x = random_floats({2, 1, h.in, w.in}, static_cast<std::uint64_t>(choose(1 << 30)));
  // Sum, elements inside the input, and places inside the padded input.
  const auto window = [&](std::int64_t p, std::int64_t r, std::int64_t c) {
    std::tuple<double, int, int> result{0.0, 0, 0};
    for (std::int64_t i = 0; i < h.kernel; ++i)
      for (std::int64_t j = 0; j < w.kernel; ++j) {
        const std::int64_t ih = r * h.stride - h.begin + i * h.dilation;
        const std::int64_t iw = c * w.stride - w.begin + j * w.dilation;
        if (ih < h.in + h.end && iw < w.in + w.end) ++std::get<2>(result);
        if (ih < 0 || ih >= h.in || iw < 0 || iw >= w.in) continue;
        std::get<0>(result) += x.data<float>()[static_cast<std::size_t>((p * h.in + ih) * w.in + iw)];
        ++std::get<1>(result);
      }
    return result;
  };
  bool empty = false;
  for (std::int64_t r = 0; r < h.out; ++r)
    for (std::int64_t c = 0; c < w.out; ++c) empty = empty || std::get<1>(window(0, r, c)) == 0;
  RC_PRE(!empty);
  const Tensor y = apply_op(AveragePool{window_of(h, w, mode, ceil), include}, {x});
  RC_ASSERT(y.shape() == (Shape{2, 1, h.out, w.out}));
  for_pool(y, h, w, [&](std::int64_t p, std::int64_t r, std::int64_t c, float got) {
    const auto [sum, inside, padded] = window(p, r, c);
    RC_ASSERT(got == static_cast<float>(sum / (include ? padded : inside)));
  });
}

TEST(AveragePool, CountsPadsOnlyWhenTold) {
  const Tensor x = floats({1, 1, 2, 2}, {1, 2, 3, 6});
  const Window window{.kernel = {2, 2}, .strides = {2, 2}, .pads = {1, 1, 1, 1}};
  EXPECT_THAT(values_of<float>(apply_op(AveragePool{window}, {x})), ElementsAre(1, 2, 3, 6));
  EXPECT_THAT(values_of<float>(apply_op(AveragePool{window, true}, {x})),
              ElementsAre(0.25F, 0.5F, 0.75F, 1.5F));
}

TEST(AveragePool, PlacesBeyondThePadsOfACeilWindowNeverCount) {
  // Width 3, kernel 2, stride 2: the second window has one element and one place that is no padding either.
  const Tensor x = floats({1, 1, 1, 3}, {2, 4, 8});
  const Window window{.kernel = {1, 2}, .strides = {1, 2}, .ceil_mode = true};
  for (bool include : {false, true})
    EXPECT_THAT(values_of<float>(apply_op(AveragePool{window, include}, {x})), ElementsAre(3, 8));
}

TEST(MaxPool, PaddingNeverWins) {
  const Tensor x = floats({1, 1, 1, 2}, {-5, -7});
  EXPECT_THAT(values_of<float>(apply_op(MaxPool{{.kernel = {1, 2}, .pads = {0, 1, 0, 1}}}, {x})),
              ElementsAre(-5, -5, -7));
}

TEST(MaxPool, NotANumberWins) {
  const auto y = values_of<float>(apply_op(MaxPool{{.kernel = {1, 3}}}, {floats({1, 1, 1, 3}, {1, NAN, 2})}));
  EXPECT_TRUE(std::isnan(y.at(0)));
}

TEST(Pools, AWindowThatSeesOnlyPaddingIsRefused) {
  for (const Op& op : {Op(MaxPool{{.kernel = {1, 2}, .pads = {0, 2, 0, 0}}}),
                       Op(AveragePool{{.kernel = {1, 2}, .pads = {0, 0, 0, 2}}}),
                       Op(MaxPool{{.kernel = {1, 2}, .pads = {0, 1, 0, 1}, .dilations = {1, 2}}}),
                       Op(AveragePool{{.kernel = {1, 2}, .pads = {0, 1, 0, 1}, .dilations = {1, 2}}})})
    EXPECT_THROW(OneNode().input({1, 1, 1, 1}).with(op), InputError);
}

TEST(GlobalAveragePool, IsTheMeanOfEveryPlane) {
  EXPECT_TRUE(apply_op(GlobalAveragePool{}, {floats({1, 2, 1, 3}, {1, 2, 6, -1, 0, -2})}) ==
              floats({1, 2, 1, 1}, {3, -1}));
  EXPECT_TRUE(apply_op(GlobalAveragePool{}, {floats({1, 1, 4}, {1, 2, 3, 4})}) == floats({1, 1, 1}, {2.5F}));
  EXPECT_THROW(OneNode().input({2, 3}).with(GlobalAveragePool{}), InputError);
}

TEST(Conv, OnAHandWorkedImage) {
  const Tensor x = floats({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Tensor w = floats({1, 1, 2, 2}, {1, 10, 100, 1000});
  EXPECT_THAT(values_of<float>(apply_op(Conv{}, {x, w})), ElementsAre(5421, 6532, 8754, 9865));
  EXPECT_THAT(values_of<float>(apply_op(Conv{{.strides = {2, 2}, .pads = {1, 0, 0, 0}}}, {x, w})),
              ElementsAre(2100, 8754));
}

TEST(Conv, KeepsASymbolicBatch) {
  const Graph g =
      OneNode().input({kDynamic, 1, 5, 5}).constant(Tensor(DType::float32, {2, 1, 3, 3})).with(Conv{});
  EXPECT_EQ(g.value(g.outputs[0]).shape, (Shape{kDynamic, 2, 3, 3}));
}

TEST(Conv, OneDimensionIsARow) {
  const Conv row{.window = {.strides = {2}, .pads = {1, 2}, .dilations = {2}}, .groups = 2};
  const Conv plane{.window = {.strides = {1, 2}, .pads = {0, 1, 0, 2}, .dilations = {1, 2}}, .groups = 2};
  const Tensor x = random_floats({2, 4, 9}, 1);
  const Tensor w = random_floats({6, 2, 3}, 2);
  const Tensor y = apply_op(row, {x, w});
  EXPECT_EQ(apply_op(plane, {x.reshaped({2, 4, 1, 9}), w.reshaped({6, 2, 1, 3})}).reshaped(y.shape()), y);
}

TEST(Conv, WhatDoesNotFitIsRefused) {
  const auto refuses = [](const Shape& x, const Shape& w, const Op& op, const Shape& b = {}) {
    OneNode node;
    node.input(x).input(w);
    if (!b.empty()) node.input(b);
    EXPECT_THROW(node.with(op), InputError) << to_string(x) << " " << to_string(w);
  };
  refuses({1, 2, 4, 4}, {1, 1, 2, 2}, Conv{});
  refuses({1, 2, 4, 4}, {3, 1, 2, 2}, Conv{.groups = 2});
  refuses({1, 2, 4, 4}, {2, 1, 2, 2}, Conv{.groups = 0});
  refuses({1, 1, 4, 4}, {1, 1, 5, 2}, Conv{});
  refuses({1, 1, 4, 4}, {1, 1, 2, 2}, Conv{{.kernel = {3, 3}}});
  refuses({1, 1, 4, 4}, {1, 1, 2, 2}, Conv{{.strides = {0, 1}}});
  refuses({1, 1, 4, 4}, {1, 1, 2, 2}, Conv{{.strides = {1}}});
  refuses({1, 1, 4, 4}, {1, 1, 2, 2}, Conv{{.pads = {1, 1}}});
  refuses({1, 1, 4, 4}, {1, 1, 2, 2}, Conv{{.pads = {-1, 0, 0, 0}}});
  refuses({1, 1, 4, 4}, {1, 1, 2, 2}, Conv{{.dilations = {4, 1}}});
  refuses({1, 1, 4, 4}, {2, 1, 2, 2}, Conv{}, {3});
  refuses({1, 1, 4}, {1, 1, 5}, Conv{});
  refuses({1, 1, 4}, {1, 1, 2, 2}, Conv{});
  refuses({1, 1, 4, 4, 4}, {1, 1, 2, 2, 2}, Conv{});
  refuses({1, 1, 4, kDynamic}, {1, 1, 2, 2}, Conv{});
}

}  // namespace
}  // namespace halftone::ir
