#include "halftone/base/dtype.h"

namespace halftone {

std::size_t size_of(DType dtype) {
  return dispatch_dtype(dtype, [](auto tag) { return sizeof(tag); });
}

std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
      return "float32";
    case DType::float64:
      return "float64";
    case DType::int8:
      return "int8";
    case DType::uint8:
      return "uint8";
    case DType::int16:
      return "int16";
    case DType::uint16:
      return "uint16";
    case DType::int32:
      return "int32";
    case DType::int64:
      return "int64";
  }
  return "?";
}

bool is_float(DType dtype) { return dtype == DType::float32 || dtype == DType::float64; }

}  // namespace halftone
