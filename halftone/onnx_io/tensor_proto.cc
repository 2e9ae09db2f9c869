#include "halftone/onnx_io/tensor_proto.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/onnx_io/packed.h"

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian and copied as it is");

namespace halftone::onnx_io {
namespace {

// Types newer than the installed ONNX headers (onnx.proto of ONNX 1.19).
constexpr std::int32_t kUint4 = 21;
constexpr std::int32_t kInt4 = 22;
constexpr std::int32_t kUint2 = 25;
constexpr std::int32_t kInt2 = 26;

void check_count(std::int64_t got, const Tensor& tensor, std::string_view where) {
  if (got != tensor.size())
    throw InputError(where, fmt::format("holds {} values, expected {} for shape {}", got, tensor.size(),
                                        to_string(tensor.shape())));
}

// The typed field of the proto that `dtype` uses when raw_data is empty.
void read_field(const onnx::TensorProto& proto, Tensor& tensor, std::string_view where) {
  const auto copy = [&](const auto& field) {
    check_count(field.size(), tensor, where);
    dispatch_dtype(tensor.dtype(), [&](auto tag) {
      using T = decltype(tag);
      auto out = tensor.mutable_data<T>();
      for (std::size_t i = 0; i < out.size(); ++i) {
        const auto value = field.Get(static_cast<int>(i));
        if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
          out[i].bits = static_cast<std::uint16_t>(value);  // int32_data holds the bit pattern
          continue;
        }
        out[i] = static_cast<T>(value);
        if constexpr (std::is_integral_v<T>)
          if (static_cast<decltype(value)>(out[i]) != value)
            throw InputError(where, fmt::format("value {} does not fit {}", value, name_of(tensor.dtype())));
      }
    });
  };
  switch (tensor.dtype()) {
    case DType::float32:
      return copy(proto.float_data());
    case DType::float64:
      return copy(proto.double_data());
    case DType::int64:
      return copy(proto.int64_data());
    case DType::uint32:
    case DType::uint64:
      return copy(proto.uint64_data());
    default:
      return copy(proto.int32_data());
  }
}

template <typename T>
void expect_no_nan(const Tensor& tensor, std::string_view where) {
  const auto values = tensor.data<T>();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isnan(static_cast<Compute<T>>(values[i])))
      throw InputError(where, fmt::format("element {} is not a number (NaN), expected a real value", i));
}

// How many values the message itself holds, in whatever field.
std::int64_t stored_count(const onnx::TensorProto& proto, DType dtype) {
  const std::size_t raw = proto.raw_data().size() / size_of(dtype);
  return static_cast<std::int64_t>(raw) + proto.float_data_size() + proto.double_data_size() +
         proto.int32_data_size() + proto.int64_data_size() + proto.uint64_data_size();
}

// The elements as the file has them, packed ones as bytes.
Tensor take_elements(onnx::TensorProto& taken, ExternalData& files, DType dtype, const Shape& shape,
                     std::string_view where) {
  const std::int64_t count = element_count(shape, where);
  const std::int64_t stored = stored_count(taken, dtype);
  if (taken.data_location() == onnx::TensorProto::EXTERNAL) {
    if (stored > 0) throw InputError(where, "data both in the model and in another file");
    return files.read(taken, dtype, shape, where);
  }
  if (stored < count)  // before memory is taken for a shape that nothing backs
    throw InputError(
        where, fmt::format("holds {} values, expected {} for shape {}", stored, count, to_string(shape)));
  if (!taken.raw_data().empty()) {
    const std::size_t expected = static_cast<std::size_t>(count) * size_of(dtype);
    if (taken.raw_data().size() != expected)
      throw InputError(where,
                       fmt::format("raw data of {} bytes, expected {}", taken.raw_data().size(), expected));
    return Tensor::adopt(dtype, shape, std::move(*taken.mutable_raw_data()));
  }
  Tensor tensor(dtype, shape);
  read_field(taken, tensor, where);
  return tensor;
}

}  // namespace

void check_elements(const Tensor& tensor, std::string_view where) {
  const DType dtype = tensor.dtype();
  if (dtype == DType::boolean)
    for (std::byte b : tensor.bytes())
      if (b > std::byte{1}) throw InputError(where, "bool that is neither 0 nor 1");
  if (dtype == DType::float32) expect_no_nan<float>(tensor, where);
  if (dtype == DType::float64) expect_no_nan<double>(tensor, where);
  if (dtype == DType::float16) expect_no_nan<float16>(tensor, where);
  if (dtype == DType::bfloat16) expect_no_nan<bfloat16>(tensor, where);
}

DType dtype_from(std::int32_t onnx_type, std::string_view where) {
  switch (onnx_type) {
    case onnx::TensorProto::FLOAT:
      return DType::float32;
    case onnx::TensorProto::DOUBLE:
      return DType::float64;
    case onnx::TensorProto::FLOAT16:
      return DType::float16;
    case onnx::TensorProto::BFLOAT16:
      return DType::bfloat16;
    case onnx::TensorProto::UINT32:
      return DType::uint32;
    case onnx::TensorProto::UINT64:
      return DType::uint64;
    case onnx::TensorProto::BOOL:
      return DType::boolean;
    case onnx::TensorProto::INT8:
      return DType::int8;
    case onnx::TensorProto::UINT8:
      return DType::uint8;
    case onnx::TensorProto::INT16:
      return DType::int16;
    case onnx::TensorProto::UINT16:
      return DType::uint16;
    case onnx::TensorProto::INT32:
      return DType::int32;
    case onnx::TensorProto::INT64:
      return DType::int64;
    case kUint4:
      return DType::uint4;
    case kInt4:
      return DType::int4;
    case kUint2:
      return DType::uint2;
    case kInt2:
      return DType::int2;
    default:
      throw UnsupportedError(
          where,
          fmt::format("ONNX element type {}, expected a float of 16 to 64 bits or an integer", onnx_type));
  }
}

std::int32_t onnx_type_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return onnx::TensorProto::FLOAT;
    case DType::float64:
      return onnx::TensorProto::DOUBLE;
    case DType::float16:
      return onnx::TensorProto::FLOAT16;
    case DType::bfloat16:
      return onnx::TensorProto::BFLOAT16;
    case DType::uint32:
      return onnx::TensorProto::UINT32;
    case DType::uint64:
      return onnx::TensorProto::UINT64;
    case DType::boolean:
      return onnx::TensorProto::BOOL;
    case DType::int8:
      return onnx::TensorProto::INT8;
    case DType::uint8:
      return onnx::TensorProto::UINT8;
    case DType::int16:
      return onnx::TensorProto::INT16;
    case DType::uint16:
      return onnx::TensorProto::UINT16;
    case DType::int32:
      return onnx::TensorProto::INT32;
    case DType::int64:
      return onnx::TensorProto::INT64;
    case DType::uint4:
      return kUint4;
    case DType::int4:
      return kInt4;
    case DType::uint2:
      return kUint2;
    case DType::int2:
      return kInt2;
  }
  return onnx::TensorProto::UNDEFINED;
}

Tensor from_proto(const onnx::TensorProto& proto, std::string_view where) {
  onnx::TensorProto copy = proto;
  ExternalData none;
  return take_tensor(copy, none, where);
}

Tensor take_tensor(onnx::TensorProto& proto, ExternalData& files, std::string_view where) {
  onnx::TensorProto taken;
  taken.Swap(&proto);
  if (taken.has_segment()) throw UnsupportedError(where, "a segmented tensor");
  const Shape shape(taken.dims().begin(), taken.dims().end());
  const DType dtype = dtype_from(taken.data_type(), where);
  const std::int64_t count = element_count(shape, where);
  Tensor tensor = bits_of(dtype) < 8
                      ? unpack(take_elements(taken, files, DType::uint8, {packed_bytes(count, dtype)}, where),
                               dtype, shape)
                      : take_elements(taken, files, dtype, shape, where);
  check_elements(tensor, where);
  return tensor;
}

void to_proto_without_data(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
  proto.set_name(name);
  proto.set_data_type(onnx_type_of(tensor.dtype()));
  for (std::int64_t dim : tensor.shape()) proto.add_dims(dim);
}

void to_proto(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
  to_proto_without_data(tensor, name, proto);
  const Tensor stored = packed(tensor);
  const auto bytes = stored.bytes();
  proto.set_raw_data(bytes.data(), bytes.size());
}

}  // namespace halftone::onnx_io
