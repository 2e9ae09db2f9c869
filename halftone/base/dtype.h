// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "halftone/base/half.h"

namespace halftone {

enum class DType {
  float32,
  float64,
  float16,
  bfloat16,
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  boolean,
  int4,  // the last four take a byte an element in memory and are packed in files
  uint4,
  int2,
  uint2
};

std::size_t size_of(DType dtype);
std::string_view name_of(DType dtype);
// The four floating-point types.
bool is_float(DType dtype);
// Bits of an element: 2 and 4 for the packed integers.
int bits_of(DType dtype);
// The type whose values stand in memory: int8 for int4 and int2, uint8 for uint4 and uint2, else itself.
DType memory_dtype(DType dtype);

template <typename T>
struct DTypeOf;
// clang-format off
template <> struct DTypeOf<float>         { static constexpr DType value = DType::float32; };
template <> struct DTypeOf<double>        { static constexpr DType value = DType::float64; };
template <> struct DTypeOf<float16>       { static constexpr DType value = DType::float16; };
template <> struct DTypeOf<bfloat16>      { static constexpr DType value = DType::bfloat16; };
template <> struct DTypeOf<std::int8_t>   { static constexpr DType value = DType::int8; };
template <> struct DTypeOf<std::uint8_t>  { static constexpr DType value = DType::uint8; };
template <> struct DTypeOf<std::int16_t>  { static constexpr DType value = DType::int16; };
template <> struct DTypeOf<std::uint16_t> { static constexpr DType value = DType::uint16; };
template <> struct DTypeOf<std::int32_t>  { static constexpr DType value = DType::int32; };
template <> struct DTypeOf<std::uint32_t> { static constexpr DType value = DType::uint32; };
template <> struct DTypeOf<std::int64_t>  { static constexpr DType value = DType::int64; };
template <> struct DTypeOf<std::uint64_t> { static constexpr DType value = DType::uint64; };
template <> struct DTypeOf<bool>          { static constexpr DType value = DType::boolean; };
// clang-format on

// Calls `f` with a value of the C++ type that holds elements of `dtype`:
// dispatch_dtype(t.dtype(), [&](auto tag) {...}).
template <typename F>
decltype(auto) dispatch_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32:
      return f(float{});
    case DType::float64:
      return f(double{});
    case DType::float16:
      return f(float16{});
    case DType::bfloat16:
      return f(bfloat16{});
    case DType::int8:
    case DType::int4:
    case DType::int2:
      return f(std::int8_t{});
    case DType::uint8:
    case DType::uint4:
    case DType::uint2:
      return f(std::uint8_t{});
    case DType::int16:
      return f(std::int16_t{});
    case DType::uint16:
      return f(std::uint16_t{});
    case DType::int32:
      return f(std::int32_t{});
    case DType::uint32:
      return f(std::uint32_t{});
    case DType::int64:
      return f(std::int64_t{});
    case DType::uint64:
      return f(std::uint64_t{});
    case DType::boolean:
      break;
  }
  return f(bool{});
}

// The type in which elements of T are computed: 16-bit floats in float32, all others in themselves.
template <typename T>
struct ComputeType {
  using type = T;
};
template <>
struct ComputeType<float16> {
  using type = float;
};
template <>
struct ComputeType<bfloat16> {
  using type = float;
};
template <typename T>
using Compute = typename ComputeType<T>::type;

}  // namespace halftone
