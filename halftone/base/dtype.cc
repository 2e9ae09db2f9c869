#include "halftone/base/dtype.h"

namespace halftone {

std::size_t size_of(DType dtype) {
  return dispatch_dtype(dtype, [](auto tag) { return sizeof(tag); });
}

std::string_view name_of(DType dtype) {
  constexpr std::string_view kNames[] = {"float32", "float64", "float16", "bfloat16", "int8",
                                         "uint8",   "int16",   "uint16",  "int32",    "uint32",
                                         "int64",   "uint64",  "bool"};
  return kNames[static_cast<std::size_t>(dtype)];
}

bool is_float(DType dtype) { return dtype <= DType::bfloat16; }

}  // namespace halftone
