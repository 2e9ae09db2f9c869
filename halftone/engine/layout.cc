#include "halftone/engine/layout.h"

#include <numeric>

namespace halftone::engine {

std::int64_t Layout::elements() const {
  return channels_last ? images() * image_pitch() : product(shape, 0, shape.size());
}

std::vector<std::int64_t> Layout::places() const {
  std::vector<std::int64_t> result;
  if (!channels_last) {
    result.resize(static_cast<std::size_t>(elements()));
    std::iota(result.begin(), result.end(), 0);
    return result;
  }
  for (std::int64_t n = 0; n < images(); ++n)
    for (std::int64_t c = 0; c < channels(); ++c)
      for (std::int64_t r = 0; r < rows(); ++r)
        for (std::int64_t x = 0; x < columns(); ++x) result.push_back(place(n, r, x) + c);
  return result;
}

Layout layout_of(const qgraph::Value& value, const Shape& shape) {
  Layout layout{.name = value.name, .dtype = value.dtype, .grid = value.grid, .shape = shape, .element = size_of(value.dtype)};
  if (!value.grid) return layout;
  const numeric::IntegerFormat& format = value.grid->format;
  layout.element = format.bits <= 8 ? 1 : 2;
  layout.base = format.bits <= 8 ? format.qmin() : format.is_signed ? 0 : 32768;
  return layout;
}

}  // namespace halftone::engine
