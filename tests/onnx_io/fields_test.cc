// Fields of a file beside its operators: constants of every type and shape, names, metadata.
#include <gmock/gmock.h>

#include "halftone/onnx_io/tensor_proto.h"
#include "tests/ir/tensors.h"
#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr DType kAll[] = {DType::float32, DType::float64, DType::float16, DType::bfloat16, DType::int8,
                          DType::uint8,   DType::int16,   DType::uint16,  DType::int32,    DType::uint32,
                          DType::int64,   DType::uint64,  DType::boolean};

// 0, 1, 0, 1, ... of the type; as bit patterns for the narrow floats.
Tensor counting(DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  dispatch_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    std::size_t i = 0;
    for (T& value : tensor.mutable_data<T>()) value = static_cast<T>(static_cast<float>(i++ % 2));
  });
  return tensor;
}

void fill_typed_field(const Tensor& tensor, onnx::TensorProto& proto) {
  dispatch_dtype(tensor.dtype(), [&](auto tag) {
    using T = decltype(tag);
    for (T value : tensor.data<T>()) {
      if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>)
        proto.add_int32_data(value.bits);
      else if constexpr (std::is_same_v<T, float>)
        proto.add_float_data(value);
      else if constexpr (std::is_same_v<T, double>)
        proto.add_double_data(value);
      else if constexpr (std::is_same_v<T, std::int64_t>)
        proto.add_int64_data(value);
      else if constexpr (std::is_same_v<T, std::uint64_t> || std::is_same_v<T, std::uint32_t>)
        proto.add_uint64_data(value);
      else
        proto.add_int32_data(static_cast<std::int32_t>(value));
    }
  });
}

// y = c, with c in this proto.
Model constant_model(const onnx::TensorProto& proto) {
  Model model;
  *model.graph().add_initializer() = proto;
  model.graph().mutable_initializer(0)->set_name("c");
  model.node("Identity", {"c"}, {"y"});
  return std::move(model.output("y"));
}

TEST(Fields, ConstantsOfEveryTypeAndShapeRawAndTyped) {
  for (DType dtype : kAll)
    for (const Shape& shape :
         {Shape{}, Shape{1}, Shape{0}, Shape{2, 0, 3}, Shape{2, 3}, Shape{1, 1, 17}, Shape{5000}}) {
      const Tensor expected = counting(dtype, shape);
      onnx::TensorProto typed;
      typed.set_data_type(onnx_type_of(dtype));
      for (std::int64_t dim : shape) typed.add_dims(dim);
      onnx::TensorProto raw = typed;
      fill_typed_field(expected, typed);
      raw.set_raw_data(expected.bytes().data(), expected.byte_size());
      for (const onnx::TensorProto& proto : {typed, raw}) {
        const ir::Graph graph = parse(constant_model(proto).proto);
        const Tensor* got = graph.constant(graph.outputs[0]);
        ASSERT_NE(got, nullptr);
        EXPECT_TRUE(*got == expected) << name_of(dtype) << " " << to_string(shape);
      }
    }
}

TEST(Fields, WeightsThatAreInputsTooComeBackAsWeights) {
  Model model;
  model.input("w", {2, 1});
  model.input("x", {0, 2});
  model.initializer("w", {2, 1}, {3, 4});
  model.node("Gemm", {"x", "w"}, {"y"});
  const ir::Graph graph = parse(serialize_model(parse(model.output("y").proto)));
  ASSERT_EQ(graph.inputs.size(), 1u);
  EXPECT_EQ(graph.value(graph.inputs[0]).name, "x");
  EXPECT_TRUE(ir::run(graph, {ir::floats({1, 2}, {1, 2})}) == ir::floats({1, 1}, {11}));
}

TEST(Fields, NamesAndMetadataSurvive) {
  Model model;
  model.graph().set_name("the graph: \xc3\xa9");
  model.input("input:0", {0, 2});
  model.initializer("layer/w \n1", {2, 1}, {3, 4});
  model.node("Gemm", {"input:0", "layer/w \n1"}, {"layer/y"}, "a node");
  model.node("Relu", {"layer/y"}, {"output=0"});
  model.output("output=0");
  for (const auto& [key, value] : {std::pair("b", "2"), std::pair("a", ""), std::pair("", "no key")}) {
    auto* entry = model.proto.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  const ir::Graph graph = parse(serialize_model(parse(model.proto)));
  EXPECT_EQ(graph.name, "the graph: \xc3\xa9");
  EXPECT_TRUE(graph.find("input:0") && graph.find("layer/w \n1") && graph.find("layer/y"));
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "output=0");
  EXPECT_EQ(graph.nodes[0].name, "a node");
  EXPECT_EQ(graph.nodes[1].name, "output=0") << "a node without a name is called as its output";
  EXPECT_THAT(graph.metadata, ElementsAre(Pair("", "no key"), Pair("a", ""), Pair("b", "2")));
}

// Found by fuzzing: written, it would not be read again.
TEST(Fields, NotANumberComputedFromConstantsIsRefused) {
  Model model;
  model.input("x", {1});
  model.initializer("c", {1}, {-1.0F});
  model.node("Log", {"c"}, {"n"});
  model.node("Add", {"x", "n"}, {"y"});
  model.output("y");
  EXPECT_THAT(message_of<InputError>([&] { parse(model.proto); }),
              testing::AllOf(testing::HasSubstr("'n'"), testing::HasSubstr("NaN")));
}

TEST(Fields, TheProducerBecomesTheSource) {
  Model model;
  model.input("x", {2});
  model.node("Relu", {"x"}, {"y"});
  model.output("y");
  EXPECT_FALSE(parse(model.proto).metadata.contains(kSourceKey));
  model.proto.set_producer_name("pytorch");
  EXPECT_EQ(parse(model.proto).metadata.at(kSourceKey), "pytorch");
  model.proto.set_producer_version("1.13.1");
  const std::string once = serialize_model(parse(model.proto));
  onnx::ModelProto written;
  ASSERT_TRUE(written.ParseFromString(once));
  EXPECT_EQ(written.producer_name(), kProducer);
  written.set_producer_name("another");
  EXPECT_EQ(parse(written).metadata.at(kSourceKey), "pytorch 1.13.1") << "the first stays";
}

}  // namespace
}  // namespace halftone::onnx_io
