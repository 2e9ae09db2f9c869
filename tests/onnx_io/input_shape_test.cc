// Shapes of inputs that the file leaves open, given by the caller.
#include "halftone/onnx_io/input_shape.h"

#include <gmock/gmock.h>

#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A 0 in the shape is free.
Model relu(const Shape& shape) {
  Model model;
  model.input("x", shape);
  model.node("Relu", {"x"}, {"y"});
  return std::move(model.output("y"));
}

Shape loaded(const Model& model, const InputShapes& shapes) {
  const ir::Graph graph = parse_model(bytes_of(model.proto.SerializeAsString()), "test", shapes);
  EXPECT_EQ(graph.value(graph.outputs[0]).shape, graph.value(graph.inputs[0]).shape);
  return graph.value(graph.inputs[0]).shape;
}

TEST(InputShape, TheRefusalNamesTheRemedy) {
  EXPECT_THAT(message_of<UnsupportedError>([] {
                loaded(relu({0, 3, 0, 0}), {});
              }),
              AllOf(HasSubstr("'x'"), HasSubstr("Nx3xNxN"), HasSubstr("as x=Nx3x?x?")));
  Model shapeless = relu({1});
  shapeless.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_THAT(message_of<UnsupportedError>([&] { loaded(shapeless, {}); }),
              AllOf(HasSubstr("'x'"), HasSubstr("no shape")));
  try {
    loaded(shapeless, {});
  } catch (const UnsupportedError& error) {
    EXPECT_EQ(error.remedy(), Remedy::give_shapes);
  }
}

TEST(InputShape, FreeDimensionsAreFixed) {
  EXPECT_EQ(loaded(relu({0, 3, 0, 0}), {{"x", {2, 3, 4, 5}}}), (Shape{2, 3, 4, 5}));
  EXPECT_EQ(loaded(relu({0, 3, 0, 0}), {{"x", {kDynamic, 3, 4, 5}}}), (Shape{kDynamic, 3, 4, 5}));
  EXPECT_EQ(loaded(relu({0, 7}), {{"x", {1, 7}}}), (Shape{1, 7}));
  EXPECT_EQ(loaded(relu({2, 7}), {{"x", {2, 7}}}), (Shape{2, 7}));
  EXPECT_EQ(loaded(relu({2, 7}), {}), (Shape{2, 7}));
}

TEST(InputShape, AnInputWithoutShapeGetsOne) {
  Model model = relu({1});
  model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_EQ(loaded(model, {{"x", {kDynamic, 5}}}), (Shape{kDynamic, 5}));
}

TEST(InputShape, WhatDisagreesWithTheFileIsTheCallersMistake) {
  for (const Shape& shape : {Shape{2, 4, 4, 5}, Shape{2, 3, 4}, Shape{2, 3, 4, 5, 6}, Shape{},
                             Shape{3, 3, 4, 5}, Shape{kDynamic, 3, 4, 5}})
    EXPECT_THAT(message_of<UsageError>([&] {
                  loaded(relu({2, 3, 0, 0}), {{"x", shape}});
                }),
                AllOf(HasSubstr("shapes"), HasSubstr("'x'"), HasSubstr("2x3xNxN")))
        << to_string(shape);
}

TEST(InputShape, UnknownNamesAreAnsweredWithTheKnownOnes) {
  Model model = relu({0, 2});
  model.input("second", {2});
  model.initializer("w", {1}, {1});
  model.input("w", {1});
  EXPECT_THAT(message_of<UsageError>([&] {
                loaded(model, {{"X", {1, 2}}});
              }),
              AllOf(HasSubstr("'X'"), HasSubstr("x, second")));
  EXPECT_THROW(loaded(model, {{"w", {1}}}), UsageError);
}

TEST(InputShape, StillFreeOrTooLargeIsRefused) {
  EXPECT_THROW(loaded(relu({0, 3, 0, 0}), {{"x", {1, 3, kDynamic, 4}}}), UnsupportedError);
  EXPECT_THROW(loaded(relu({0, 0}), {{"x", {std::int64_t{1} << 31, 4}}}), InputError);
}

}  // namespace
}  // namespace halftone::onnx_io
