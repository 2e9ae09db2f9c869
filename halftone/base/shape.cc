#include "halftone/base/shape.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone {

std::int64_t element_count(const Shape& shape, std::string_view where) {
  std::int64_t count = 1;
  bool has_zero = false;
  for (std::int64_t dim : shape) {
    if (dim < 0) throw InputError(where, fmt::format("negative dimension, got {}", to_string(shape)));
    if (dim == 0) {
      has_zero = true;
    } else if (count > kMaxElements / dim) {
      throw InputError(where, fmt::format("too many elements, got shape {}, expected at most {} elements",
                                          to_string(shape), kMaxElements));
    } else {
      count *= dim;
    }
  }
  return has_zero ? 0 : count;
}

bool is_static(const Shape& shape) {
  for (std::int64_t dim : shape)
    if (dim == kDynamic) return false;
  return true;
}

std::int64_t product(const Shape& shape, std::size_t first, std::size_t last) {
  std::int64_t result = 1;
  for (std::size_t i = first; i < last; ++i) result *= shape[i];
  return result;
}

int normalize_axis(std::int64_t axis, std::size_t rank, std::string_view where) {
  const auto n = static_cast<std::int64_t>(rank);
  if (axis < -n || axis >= n)
    throw InputError(where,
                     fmt::format("axis outside the shape, got {}, expected {} to {}", axis, -n, n - 1));
  return static_cast<int>(axis < 0 ? axis + n : axis);
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (std::int64_t dim : shape) {
    if (!text.empty()) text += 'x';
    text += dim == kDynamic ? std::string("N") : std::to_string(dim);
  }
  return text;
}

}  // namespace halftone
