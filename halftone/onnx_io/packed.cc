#include "halftone/onnx_io/packed.h"

namespace halftone::onnx_io {

std::int64_t packed_bytes(std::int64_t count, DType dtype) { return (count * bits_of(dtype) + 7) / 8; }

Tensor packed(const Tensor& tensor) {
  const int bits = bits_of(tensor.dtype());
  if (bits >= 8) return tensor;
  const auto per_byte = static_cast<std::size_t>(8 / bits);
  Tensor result(DType::uint8, {packed_bytes(tensor.size(), tensor.dtype())});
  auto out = result.mutable_data<std::uint8_t>();
  const auto in = tensor.bytes();
  const unsigned mask = (1U << bits) - 1;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const unsigned low = static_cast<unsigned>(in[i]) & mask;
    out[i / per_byte] |= static_cast<std::uint8_t>(low << (i % per_byte * static_cast<std::size_t>(bits)));
  }
  return result;
}

Tensor unpack(const Tensor& bytes, DType dtype, const Shape& shape) {
  const int bits = bits_of(dtype);
  const auto per_byte = static_cast<std::size_t>(8 / bits);
  Tensor result(dtype, shape);
  const auto in = bytes.data<std::uint8_t>();
  auto out = result.mutable_bytes();
  const bool is_signed = memory_dtype(dtype) == DType::int8;
  for (std::size_t i = 0; i < out.size(); ++i) {
    int value = in[i / per_byte] >> (i % per_byte * static_cast<std::size_t>(bits)) & ((1 << bits) - 1);
    if (is_signed && value >= 1 << (bits - 1)) value -= 1 << bits;
    out[i] = static_cast<std::byte>(value);
  }
  return result;
}

}  // namespace halftone::onnx_io
