// Which ops with a constant operand are a function of one variable, for all of x or for each channel.
#include "halftone/ir/one_variable.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::ElementsAre;

std::optional<OneVariable> with(const Op& op, const Tensor& constant, const Shape& x,
                                std::size_t variable = 0) {
  const Tensor* const inputs[] = {variable == 0 ? nullptr : &constant, variable == 0 ? &constant : nullptr};
  return one_variable(op, inputs, x);
}

TEST(OneVariable, HasOneConstantOrOneForEachIndexOfDimensionOne) {
  const Shape x{kDynamic, 3, 4, 5};
  for (const Op& op : {Op(PRelu{}), Op(Mul{}), Op(Pow{}), Op(Max{})}) {
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 1, 1, 1}})
      EXPECT_THAT(with(op, floats(shape, {2}), x).value().constants, ElementsAre(2)) << to_string(shape);
    for (const Shape& shape : {Shape{3, 1, 1}, Shape{1, 3, 1, 1}})
      EXPECT_THAT(with(op, floats(shape, {1, 2, 3}), x).value().constants, ElementsAre(1, 2, 3));
  }
  EXPECT_THAT(with(Add{}, floats({3}, {1, 2, 3}), {kDynamic, 3}).value().constants, ElementsAre(1, 2, 3));
}

TEST(OneVariable, IsNoneAlongAnotherDimension) {
  EXPECT_FALSE(with(Mul{}, floats({3}, {1, 2, 3}), {2, 3, 3}));
  EXPECT_FALSE(with(Mul{}, floats({3}, {1, 2, 3}), {3}));
  EXPECT_FALSE(with(Mul{}, floats({3, 1}, {1, 2, 3}), {3, 2}));
  EXPECT_FALSE(with(Mul{}, floats({2, 2}, {1, 2, 3, 4}), {1, 2, 2}));
  EXPECT_FALSE(with(Mul{}, floats({1, 1, 1}, {1}), {2, 2}));
  EXPECT_FALSE(with(Mul{}, floats({3, 1}, {1, 2, 3}), {2, 1, 1}));  // would enlarge x
}

TEST(OneVariable, IsNoneWithoutOneConstantOfNumbers) {
  const Tensor one = floats({}, {1});
  const Tensor* const none[] = {nullptr, nullptr};
  const Tensor* const both[] = {&one, &one};
  const Tensor* const three[] = {nullptr, &one, &one};
  EXPECT_FALSE(one_variable(Add{}, none, {2, 3}));
  EXPECT_FALSE(one_variable(Add{}, both, {2, 3}));
  EXPECT_FALSE(one_variable(Max{}, three, {2, 3}));
  EXPECT_FALSE(with(Add{}, floats({0}, {}), {2, 0}));
  EXPECT_FALSE(with(Add{}, floats({2}, {1, NAN}), {3, 2}));
  EXPECT_FALSE(with(Add{}, Tensor::from<double>({}, std::vector<double>{1}), {3, 2}));
  EXPECT_FALSE(with(Relu{}, one, {3, 2}));
  EXPECT_FALSE(with(PRelu{}, one, {3, 2}, 1));  // x is no slope
}

TEST(OneVariable, IsTheOpsOwnValueEitherWayRound) {
  const Op ops[] = {Add{}, Sub{}, Mul{}, Div{}, Pow{}, Min{}, Max{}};
  for (const Op& op : ops)
    for (float x : {0.5F, 2.0F, 3.25F})
      for (std::size_t variable : {0u, 1u}) {
        const Tensor a = floats({}, {variable == 0 ? x : 1.5F});
        const Tensor b = floats({}, {variable == 0 ? 1.5F : x});
        EXPECT_EQ(static_cast<float>(value_with(op, variable, x, 1.5)), apply_op(op, {a, b}).data<float>()[0])
            << name_of(op) << " " << x << " " << variable;
      }
  EXPECT_EQ(value_with(PRelu{}, 0, -3.0, 0.5), -1.5);
  EXPECT_THROW(value_with(Relu{}, 0, 1.0, 1.0), UsageError);
}

}  // namespace
}  // namespace halftone::ir
