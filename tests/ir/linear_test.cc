// Gemm, MatMul and Add against loops written out here.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::ElementsAre;

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }
std::uint64_t any_seed() { return static_cast<std::uint64_t>(choose(1 << 30)); }

float at(const Tensor& t, std::int64_t r, std::int64_t c) {
  return t.data<float>()[static_cast<std::size_t>(r * t.dim(1) + c)];
}

RC_GTEST_PROP(Gemm, IsAlphaABPlusBetaC, ()) {
  const std::int64_t n = 1 + choose(9), k = 1 + choose(9), m = 1 + choose(9);
  const Gemm op{.alpha = static_cast<float>(choose(9) - 4) * 0.5F,
                .beta = static_cast<float>(choose(9) - 4) * 0.5F,
                .trans_a = choose(2) == 0,
                .trans_b = choose(2) == 0};
  const Tensor a = random_floats(op.trans_a ? Shape{k, n} : Shape{n, k}, any_seed());
  const Tensor b = random_floats(op.trans_b ? Shape{m, k} : Shape{k, m}, any_seed());
  const Shape shapes[] = {{}, {1}, {m}, {1, m}, {n, 1}, {n, m}, {1, 1}};
  const int kind = choose(8);
  std::vector<Tensor> operands{a, b};
  if (kind < 7) operands.push_back(random_floats(shapes[kind], any_seed()));
  const Tensor y = apply_op(op, operands);
  RC_ASSERT(y.shape() == (Shape{n, m}));
  for (std::int64_t r = 0; r < n; ++r)
    for (std::int64_t c = 0; c < m; ++c) {
      double sum = 0.0;
      for (std::int64_t i = 0; i < k; ++i)
        sum += static_cast<double>(op.trans_a ? at(a, i, r) : at(a, r, i)) *
               (op.trans_b ? at(b, c, i) : at(b, i, c));
      double added = 0.0;
      if (kind < 7) {
        const Shape& s = shapes[kind];
        const std::int64_t row = s.size() == 2 && s[0] != 1 ? r : 0;
        const std::int64_t column = !s.empty() && s.back() != 1 ? c : 0;
        added =
            operands[2].data<float>()[static_cast<std::size_t>(row * (s.empty() ? 1 : s.back()) + column)];
      }
      RC_ASSERT(at(y, r, c) ==
                static_cast<float>(op.alpha * sum + op.beta * added));  // everything exact in double
    }
}

TEST(Gemm, OnHandWorkedMatrices) {
  const Tensor a = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor b = floats({3, 2}, {1, 0, 0, 1, 1, 1});
  EXPECT_THAT(values_of<float>(apply_op(Gemm{}, {a, b})), ElementsAre(4, 5, 10, 11));
  EXPECT_THAT(values_of<float>(apply_op(Gemm{.alpha = 2, .beta = -1}, {a, b, floats({2}, {1, 2})})),
              ElementsAre(7, 8, 19, 20));
}

TEST(Gemm, WhatDoesNotFitIsRefused) {
  EXPECT_THROW(OneNode().input({2, 3}).input({2, 3}).with(Gemm{}), InputError);
  EXPECT_THROW(OneNode().input({2, 3, 1}).input({3, 2}).with(Gemm{}), InputError);
  EXPECT_THROW(OneNode().input({2, 3}).input({3, 2}).input({3}).with(Gemm{}), InputError);
  EXPECT_THROW(OneNode().input({1, 3}).input({3, 2}).input({2, 2}).with(Gemm{}),
               InputError);  // C may not stretch the product
}

TEST(Gemm, KeepsASymbolicBatch) {
  const Graph g = OneNode().input({kDynamic, 3}).input({3, 2}).with(Gemm{});
  EXPECT_EQ(g.value(g.outputs[0]).shape, (Shape{kDynamic, 2}));
}

RC_GTEST_PROP(MatMul, OfStacksMultipliesEachPair, ()) {
  const std::int64_t n = 1 + choose(4), k = 1 + choose(4), m = 1 + choose(4), p = 1 + choose(3),
                     q = 1 + choose(3);
  const Shape stacks[] = {{}, {1}, {q}, {p, 1}, {1, q}, {p, q}};
  Shape sa = stacks[choose(6)], sb = stacks[choose(6)];
  const auto stack_at = [&](const Shape& s, std::int64_t i, std::int64_t j) {
    const std::int64_t row = s.size() == 2 && s[0] != 1 ? i : 0;
    const std::int64_t column = !s.empty() && s.back() != 1 ? j : 0;
    return row * (s.empty() ? 1 : s.back()) + column;
  };
  Shape full_a = sa, full_b = sb;
  full_a.insert(full_a.end(), {n, k});
  full_b.insert(full_b.end(), {k, m});
  const Tensor a = random_floats(full_a, any_seed()), b = random_floats(full_b, any_seed());
  const Tensor y = apply_op(MatMul{}, {a, b});
  const std::int64_t rows = std::max(sa.size() == 2 ? sa[0] : 1, sb.size() == 2 ? sb[0] : 1);
  const std::int64_t columns = std::max(sa.empty() ? 1 : sa.back(), sb.empty() ? 1 : sb.back());
  RC_ASSERT(y.size() == rows * columns * n * m);
  std::size_t next = 0;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      for (std::int64_t r = 0; r < n; ++r)
        for (std::int64_t c = 0; c < m; ++c) {
          double sum = 0.0;
          for (std::int64_t t = 0; t < k; ++t)
            sum += static_cast<double>(
                       a.data<float>()[static_cast<std::size_t>((stack_at(sa, i, j) * n + r) * k + t)]) *
                   b.data<float>()[static_cast<std::size_t>((stack_at(sb, i, j) * k + t) * m + c)];
          RC_ASSERT(y.data<float>()[next++] == static_cast<float>(sum));
        }
}

TEST(MatMul, VectorsAreRowsOnTheLeftAndColumnsOnTheRight) {
  const Tensor v = floats({2}, {1, 2});
  const Tensor m = floats({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(apply_op(MatMul{}, {v, m}), floats({2}, {7, 10}));
  EXPECT_EQ(apply_op(MatMul{}, {m, v}), floats({2}, {5, 11}));
  EXPECT_EQ(apply_op(MatMul{}, {v, v}), floats({}, {5}));
}

TEST(MatMul, WhatDoesNotFitIsRefused) {
  EXPECT_THROW(OneNode().input({2, 3}).input({2, 3}).with(MatMul{}), InputError);
  EXPECT_THROW(OneNode().input({}).input({3, 2}).with(MatMul{}), InputError);
  EXPECT_THROW(OneNode().input({3}).input({2, 3}).with(MatMul{}), InputError);
  EXPECT_THROW(OneNode().input({2, 2, 3}).input({3, 3, 2}).with(MatMul{}), InputError);
}

RC_GTEST_PROP(Add, Broadcasts, ()) {
  const std::int64_t p = 1 + choose(4), q = 1 + choose(4), r = 1 + choose(4);
  const Shape shapes[] = {{}, {1}, {r}, {q, 1}, {q, r}, {p, 1, r}, {p, q, r}, {1, q, 1}};
  const Shape sa = shapes[choose(8)], sb = shapes[choose(8)];
  const Tensor a = random_floats(sa, any_seed()), b = random_floats(sb, any_seed());
  const Tensor y = apply_op(Add{}, {a, b});
  RC_ASSERT(y == apply_op(Add{}, {b, a}));
  const Shape full = [&] {
    Shape shape(std::max(sa.size(), sb.size()), 1);
    for (const Shape* s : {&sa, &sb})
      for (std::size_t d = 0; d < s->size(); ++d)
        shape[shape.size() - s->size() + d] = std::max(shape[shape.size() - s->size() + d], (*s)[d]);
    return shape;
  }();
  RC_ASSERT(y.shape() == full);
  for (std::int64_t i = 0; i < y.size(); ++i) {
    const auto read = [&](const Tensor& t) {
      std::int64_t rest = i, offset = 0, stride = 1;
      for (std::size_t d = full.size(); d-- > 0;) {
        const std::int64_t place = rest % full[d];
        rest /= full[d];
        if (d + t.rank() < full.size()) continue;
        const std::int64_t dim = t.dim(d + t.rank() - full.size());
        offset += (dim == 1 ? 0 : place) * stride;
        stride *= dim;
      }
      return t.data<float>()[static_cast<std::size_t>(offset)];
    };
    RC_ASSERT(y.data<float>()[static_cast<std::size_t>(i)] == read(a) + read(b));
  }
}

TEST(Add, SymbolicBatchesAndShapesThatDoNotFit) {
  const Graph g = OneNode().input({kDynamic, 3}).input({1, 3}).with(Add{});
  EXPECT_EQ(g.value(g.outputs[0]).shape, (Shape{kDynamic, 3}));
  EXPECT_EQ((broadcast_shape({kDynamic, 3}, {kDynamic, 1})), (Shape{kDynamic, 3}));
  EXPECT_THROW(OneNode().input({2, 3}).input({2}).with(Add{}), InputError);
  EXPECT_THROW(OneNode().input({kDynamic, 3}).input({2, 3}).with(Add{}), InputError);
}

TEST(Add, OfNoElements) {
  EXPECT_EQ(apply_op(Add{}, {Tensor(DType::float32, {0, 3}), random_floats({3}, 1)}).shape(), (Shape{0, 3}));
}

}  // namespace
}  // namespace halftone::ir
