// Integers of 2 and 4 bits in files.
#include "halftone/onnx_io/packed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "halftone/numeric/quant_params.h"
#include "halftone/onnx_io/tensor_proto.h"

namespace halftone::onnx_io {
namespace {

TEST(Packed, FirstElementInTheLowestBits) {
  const std::vector<std::int32_t> four{1, -2, 7};
  const Tensor bytes = packed(numeric::from_int32({3}, four, DType::int4));
  EXPECT_THAT(bytes.data<std::uint8_t>(), testing::ElementsAre(0xE1, 0x07));
  const std::vector<std::int32_t> two{3, 0, 1, 2, 3};
  EXPECT_THAT(packed(numeric::from_int32({5}, two, DType::uint2)).data<std::uint8_t>(),
              testing::ElementsAre(0x93, 0x03));
}

TEST(Packed, EveryValueAndLengthComesBackThroughAProto) {
  for (DType dtype : {DType::int4, DType::uint4, DType::int2, DType::uint2})
    for (std::int64_t count = 0; count < 40; ++count) {
      const int bits = bits_of(dtype);
      const bool is_signed = memory_dtype(dtype) == DType::int8;
      std::vector<std::int32_t> values;
      for (std::int64_t i = 0; i < count; ++i)
        values.push_back(static_cast<std::int32_t>(i % (1 << bits)) - (is_signed ? 1 << (bits - 1) : 0));
      const Tensor tensor = numeric::from_int32({count}, values, dtype);
      onnx::TensorProto proto;
      to_proto(tensor, "t", proto);
      EXPECT_EQ(proto.raw_data().size(), static_cast<std::size_t>((count * bits + 7) / 8));
      EXPECT_EQ(from_proto(proto, "t"), tensor) << name_of(dtype) << " " << count;
    }
}

TEST(Packed, DataOfAnotherLengthIsRefused) {
  onnx::TensorProto proto;
  to_proto(Tensor(DType::int4, {3}), "t", proto);
  proto.mutable_raw_data()->push_back(0);
  EXPECT_ANY_THROW(from_proto(proto, "t"));
  proto.mutable_raw_data()->resize(1);
  EXPECT_ANY_THROW(from_proto(proto, "t"));
}

}  // namespace
}  // namespace halftone::onnx_io
