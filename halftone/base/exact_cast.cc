#include "halftone/base/exact_cast.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "halftone/base/error.h"

namespace halftone {
namespace {

template <typename T>
constexpr bool kIsFloat = std::is_floating_point_v<Compute<T>>;

// bool as an integer that comparisons take.
template <typename T>
auto widened(T value) {
  if constexpr (std::is_same_v<T, bool>)
    return static_cast<int>(value);
  else
    return value;
}

// Whether an integer lies in the type's range: 0 and 1 for bool, fewer bits than its storage for int4 and
// others.
template <typename Value>
bool fits_integer(Value value, DType dtype) {
  if (dtype == DType::boolean) return value == 0 || value == 1;
  return dispatch_dtype(dtype, [&](auto tag) {
    using To = decltype(tag);
    if constexpr (kIsFloat<To> || std::is_same_v<To, bool>) {
      return false;
    } else {
      if (!std::in_range<To>(value)) return false;
      if (bits_of(dtype) >= 8) return true;
      const int limit = 1 << (std::is_signed_v<To> ? bits_of(dtype) - 1 : bits_of(dtype));
      return std::cmp_less(value, limit) && (!std::is_signed_v<To> || std::cmp_greater_equal(value, -limit));
    }
  });
}

// 2^63 and 2^64 are doubles: a range that ends below them is tested without rounding.
bool fits_integer(double value, DType dtype) {
  if (!std::isfinite(value) || value != std::trunc(value)) return false;
  if (value >= -0x1p63 && value < 0x1p63) return fits_integer(static_cast<std::int64_t>(value), dtype);
  return value >= 0.0 && value < 0x1p64 && fits_integer(static_cast<std::uint64_t>(value), dtype);
}

template <typename From, typename To>
bool keeps(From from, DType dtype) {
  if constexpr (kIsFloat<From> && kIsFloat<To>) {
    return !std::isfinite(static_cast<double>(from)) ||
           std::isfinite(static_cast<double>(static_cast<To>(static_cast<Compute<From>>(from))));
  } else if constexpr (kIsFloat<From>) {
    return fits_integer(static_cast<double>(from), dtype);
  } else if constexpr (kIsFloat<To>) {
    return fits_integer(static_cast<double>(static_cast<To>(from)),
                        std::is_same_v<From, bool> ? DType::boolean : DTypeOf<From>::value) &&
           static_cast<From>(static_cast<double>(static_cast<To>(from))) == from;
  } else {
    return fits_integer(widened(from), dtype);
  }
}

}  // namespace

Tensor exact_cast(const Tensor& tensor, DType dtype, std::string_view where) {
  if (tensor.dtype() == dtype) return tensor;
  dispatch_dtype(tensor.dtype(), [&](auto from) {
    dispatch_dtype(dtype, [&](auto to) {
      using From = decltype(from);
      const auto values = tensor.data<From>();
      for (std::size_t i = 0; i < values.size(); ++i)
        if (!keeps<From, decltype(to)>(values[i], dtype))
          throw InputError(where, fmt::format("element {}, got {}, expected a number that {} holds", i,
                                              static_cast<double>(values[i]), name_of(dtype)));
    });
  });
  return tensor.cast(dtype);
}

}  // namespace halftone
