#include "halftone/base/dtype.h"

namespace halftone {

std::size_t size_of(DType dtype) {
  return dispatch_dtype(dtype, [](auto tag) { return sizeof(tag); });
}

std::string_view name_of(DType dtype) {
  constexpr std::string_view kNames[] = {"float32", "float64", "float16", "bfloat16", "int8",  "uint8",
                                         "int16",   "uint16",  "int32",   "uint32",   "int64", "uint64",
                                         "bool",    "int4",    "uint4",   "int2",     "uint2"};
  return kNames[static_cast<std::size_t>(dtype)];
}

bool is_float(DType dtype) { return dtype <= DType::bfloat16; }

int bits_of(DType dtype) {
  if (dtype == DType::int4 || dtype == DType::uint4) return 4;
  if (dtype == DType::int2 || dtype == DType::uint2) return 2;
  return static_cast<int>(size_of(dtype)) * 8;
}

DType memory_dtype(DType dtype) {
  if (dtype == DType::int4 || dtype == DType::int2) return DType::int8;
  if (dtype == DType::uint4 || dtype == DType::uint2) return DType::uint8;
  return dtype;
}

}  // namespace halftone
