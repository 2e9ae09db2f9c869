// Tensors in their several encodings.
#include "halftone/onnx_io/tensor_proto.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "tests/ir/tensors.h"
#include "tests/onnx_io/protos.h"

namespace halftone::onnx_io {
namespace {

using testing::HasSubstr;

onnx::TensorProto proto_of(int type, const Shape& shape) {
  onnx::TensorProto proto;
  proto.set_data_type(type);
  for (std::int64_t dim : shape) proto.add_dims(dim);
  return proto;
}

std::string refusal(const onnx::TensorProto& proto) {
  return message_of<InputError>([&] { from_proto(proto, "here"); });
}

TEST(TensorProto, TypedFieldsAndRawDataAreTheSame) {
  for (DType dtype : {DType::float32, DType::float64, DType::int8, DType::uint8, DType::int16, DType::uint16,
                      DType::int32, DType::int64})
    for (std::int64_t count : {1, 2, 3, 7, 8, 9, 31, 33}) {
      Tensor tensor(dtype, {count});
      onnx::TensorProto typed = proto_of(onnx_type_of(dtype), {count});
      dispatch_dtype(dtype, [&](auto tag) {
        using T = decltype(tag);
        auto values = tensor.mutable_data<T>();
        for (std::size_t i = 0; i < values.size(); ++i) {
          values[i] = i % 3 == 0   ? std::numeric_limits<T>::lowest()
                      : i % 3 == 1 ? std::numeric_limits<T>::max()
                                   : static_cast<T>(i);
          if constexpr (std::is_same_v<T, float>)
            typed.add_float_data(values[i]);
          else if constexpr (std::is_same_v<T, double>)
            typed.add_double_data(values[i]);
          else if constexpr (std::is_same_v<T, std::int64_t>)
            typed.add_int64_data(values[i]);
          else
            typed.add_int32_data(values[i]);
        }
      });
      onnx::TensorProto raw;
      to_proto(tensor, "t", raw);
      EXPECT_TRUE(from_proto(typed, "here") == tensor) << name_of(dtype);
      EXPECT_TRUE(from_proto(raw, "here") == tensor) << name_of(dtype);
    }
}

TEST(TensorProto, ValuesThatDoNotFitTheirTypeAreRefused) {
  const std::pair<int, std::int32_t> cases[] = {
      {onnx::TensorProto::INT8, 128}, {onnx::TensorProto::INT8, -129},   {onnx::TensorProto::UINT8, 256},
      {onnx::TensorProto::UINT8, -1}, {onnx::TensorProto::INT16, 32768}, {onnx::TensorProto::UINT16, 65536}};
  for (const auto& [type, value] : cases) {
    onnx::TensorProto proto = proto_of(type, {1});
    proto.add_int32_data(value);
    EXPECT_THAT(refusal(proto), HasSubstr(std::to_string(value)));
  }
}

TEST(TensorProto, OneValueTooFewOrTooManyIsRefused) {
  for (std::int64_t count : {1, 2, 5, 16, 17}) {
    for (int got : {-1, 1}) {
      onnx::TensorProto typed = proto_of(onnx::TensorProto::FLOAT, {count});
      for (int i = 0; i < count + got; ++i) typed.add_float_data(0.0F);
      EXPECT_THAT(refusal(typed), HasSubstr("here"));
      onnx::TensorProto raw = proto_of(onnx::TensorProto::FLOAT, {count});
      raw.set_raw_data(std::string(static_cast<std::size_t>(4 * count + got), '\0'));
      EXPECT_THAT(refusal(raw), HasSubstr("here"));
    }
    onnx::TensorProto other = proto_of(onnx::TensorProto::FLOAT, {count});
    for (int i = 0; i < count; ++i) other.add_int32_data(1);
    EXPECT_THAT(refusal(other), HasSubstr("here"));
  }
}

TEST(TensorProto, NotANumberIsRefusedInfinityIsNot) {
  for (float v : {NAN, -NAN}) {
    onnx::TensorProto proto = proto_of(onnx::TensorProto::FLOAT, {2});
    proto.add_float_data(0.0F);
    proto.add_float_data(v);
    EXPECT_THAT(refusal(proto), HasSubstr("element 1"));
    onnx::TensorProto raw = proto_of(onnx::TensorProto::FLOAT, {1});
    raw.set_raw_data(&v, sizeof v);
    EXPECT_THAT(refusal(raw), HasSubstr("NaN"));
    onnx::TensorProto wide = proto_of(onnx::TensorProto::DOUBLE, {1});
    wide.add_double_data(v);
    EXPECT_THAT(refusal(wide), HasSubstr("NaN"));
  }
  onnx::TensorProto proto = proto_of(onnx::TensorProto::FLOAT, {1});
  proto.add_float_data(-INFINITY);
  EXPECT_EQ(from_proto(proto, "here").data<float>()[0], -INFINITY);
}

// int32_data holds the bit pattern of 16-bit floats, and bool; uint64_data holds both wide unsigned types.
TEST(TensorProto, NarrowFloatsUnsignedAndBoolInTheirFields) {
  onnx::TensorProto half = proto_of(onnx::TensorProto::FLOAT16, {2});
  half.add_int32_data(0x3c00);
  half.add_int32_data(0xc000);
  EXPECT_TRUE(from_proto(half, "here").cast(DType::float32) == ir::floats({2}, {1.0F, -2.0F}));
  onnx::TensorProto brain = proto_of(onnx::TensorProto::BFLOAT16, {2});
  brain.add_int32_data(0x3f80);
  brain.add_int32_data(0xc000);
  EXPECT_TRUE(from_proto(brain, "here").cast(DType::float32) == ir::floats({2}, {1.0F, -2.0F}));
  onnx::TensorProto wide = proto_of(onnx::TensorProto::UINT64, {1});
  wide.add_uint64_data(UINT64_MAX);
  EXPECT_EQ(from_proto(wide, "here").data<std::uint64_t>()[0], UINT64_MAX);
  onnx::TensorProto narrow = proto_of(onnx::TensorProto::UINT32, {1});
  narrow.add_uint64_data(UINT32_MAX);
  EXPECT_EQ(from_proto(narrow, "here").data<std::uint32_t>()[0], UINT32_MAX);
  narrow.set_uint64_data(0, std::uint64_t{1} << 32);
  EXPECT_THAT(refusal(narrow), HasSubstr("4294967296"));
  onnx::TensorProto truth = proto_of(onnx::TensorProto::BOOL, {2});
  truth.add_int32_data(1);
  truth.add_int32_data(0);
  EXPECT_TRUE(from_proto(truth, "here").data<bool>()[0]);
  truth.set_int32_data(1, 2);
  refusal(truth);
}

TEST(TensorProto, NarrowFloatsThatAreNoNumberAreRefused) {
  for (const auto& [type, bits] :
       {std::pair(onnx::TensorProto::FLOAT16, 0x7e00), std::pair(onnx::TensorProto::BFLOAT16, 0x7fc0)}) {
    onnx::TensorProto proto = proto_of(type, {1});
    proto.add_int32_data(bits);
    EXPECT_THAT(refusal(proto), HasSubstr("NaN"));
  }
}

TEST(TensorProto, DataElsewhereIsUnsupported) {
  onnx::TensorProto external = proto_of(onnx::TensorProto::FLOAT, {1});
  external.set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = external.add_external_data();
  entry->set_key("location");
  entry->set_value("weights.bin");
  EXPECT_THROW(from_proto(external, "here"), UnsupportedError);
  onnx::TensorProto segment = proto_of(onnx::TensorProto::FLOAT, {1});
  segment.mutable_segment()->set_begin(0);
  segment.add_float_data(0.0F);
  EXPECT_THROW(from_proto(segment, "here"), UnsupportedError);
}

TEST(TensorProto, OtherElementTypesAreUnsupported) {
  for (int type : {0, 8, 14, 15, 17, 18, 19, 20, 23, -1, 1000}) {
    onnx::TensorProto proto = proto_of(type, {1});
    proto.set_raw_data(std::string(8, '\0'));
    EXPECT_THROW(from_proto(proto, "here"), UnsupportedError) << type;
  }
}

TEST(TensorProto, ShapesThatNothingBacksAreRefusedWithoutTakingMemory) {
  const Shape shapes[] = {{std::int64_t{1} << 32},
                          {std::int64_t{1} << 31},
                          {std::int64_t{1} << 62},
                          {INT64_MAX},
                          {INT64_MIN},
                          {-1},
                          {2, -3},
                          {std::int64_t{1} << 31, std::int64_t{1} << 31, std::int64_t{1} << 31},
                          {INT64_MAX, 0, -1},
                          {1 << 16, 1 << 16, 1 << 16, 1 << 16}};
  for (const Shape& shape : shapes) {
    onnx::TensorProto proto = proto_of(onnx::TensorProto::FLOAT, shape);
    proto.add_float_data(0.0F);
    EXPECT_THAT(refusal(proto), HasSubstr("here"));
  }
}

TEST(TensorProto, WithoutElements) {
  EXPECT_EQ(from_proto(proto_of(onnx::TensorProto::FLOAT, {0}), "here").size(), 0);
  EXPECT_EQ(from_proto(proto_of(onnx::TensorProto::INT8, {3, 0, INT64_MAX / 8 % 5}), "here").size(), 0);
}

}  // namespace
}  // namespace halftone::onnx_io
