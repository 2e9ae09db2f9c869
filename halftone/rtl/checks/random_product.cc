#include "halftone/rtl/checks/random_product.h"

#include <algorithm>
#include <bit>
#include <random>

namespace halftone::rtl {
namespace {

class Source {
 public:
  explicit Source(std::uint64_t seed) : engine_(seed) {}
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(most - least + 1));
  }
  bool coin() { return between(0, 1) == 1; }

 private:
  std::mt19937_64 engine_;
};

struct Range {
  std::int64_t least, most;
};

Range range_of(const ArrayGeometry& g, bool is_weight) {
  if (g.bits == 1) return is_weight ? Range{-1, 1} : Range{0, 1};
  return {-(std::int64_t{1} << (g.bits - 1)), (std::int64_t{1} << (g.bits - 1)) - 1};
}

std::vector<std::int32_t> operands(Source& source, std::size_t count, Range range, bool is_binary_weight, bool is_extreme) {
  std::vector<std::int32_t> x(count);
  for (std::int32_t& v : x)
    v = static_cast<std::int32_t>(is_extreme || is_binary_weight ? (source.coin() ? range.least : range.most) : source.between(range.least, range.most));
  return x;
}

numeric::OutputBounds bounds_of(Source& source) {
  const bool is_signed = source.coin();
  numeric::OutputBounds bounds{.zero_point = 0, .lo = is_signed ? -128 : 0, .hi = is_signed ? 127 : 255};
  bounds.zero_point = static_cast<std::int32_t>(source.between(bounds.lo, bounds.hi));
  if (source.coin()) bounds.lo = bounds.zero_point;  // ReLU
  if (source.between(0, 3) == 0) bounds.hi = static_cast<std::int32_t>(source.between(bounds.zero_point, bounds.hi));
  return bounds;
}

}  // namespace

Product random_product(const ArrayGeometry& g, const ProductShape& shape, Numbers numbers, std::uint64_t seed) {
  Source source(seed);
  Product product{.shape = shape, .bounds = bounds_of(source)};
  const bool is_extreme = numbers == Numbers::extreme;
  const Range a = range_of(g, false), b = range_of(g, true);
  product.a = operands(source, static_cast<std::size_t>(shape.rows * shape.depth), a, false, is_extreme);
  product.b = operands(source, static_cast<std::size_t>(shape.cols * shape.depth), b, g.bits == 1, is_extreme);
  const std::int64_t largest = std::max(-a.least, a.most) * std::max(-b.least, b.most) * shape.depth;
  // BinaryDot's counts stay below 8 a byte, padding included.
  const std::int64_t room = (std::int64_t{1} << (g.acc_width - 1)) - 1 - (g.bits == 1 ? shape.depth + 8 : largest);
  // A typical sum is some sqrt(depth) products; its result should lie within the output, now and then beyond.
  const int spread = std::bit_width(static_cast<std::uint64_t>(largest)) - std::bit_width(static_cast<std::uint64_t>(shape.depth)) / 2;
  for (std::int64_t n = 0; n < shape.cols; ++n) {
    product.bias.push_back(room > 0 ? source.between(-room, room) / (source.coin() ? 1 : 1024) : 0);
    if (numbers == Numbers::ties) {  // a power of two halves exactly
      product.multiplier.push_back(std::int64_t{1} << (g.mantissa - 2));
      product.shift.push_back(g.mantissa - 2 + static_cast<int>(source.between(0, 3)));
    } else {
      product.multiplier.push_back(source.between(std::int64_t{1} << (g.mantissa - 2), (std::int64_t{1} << (g.mantissa - 1)) - 1));
      product.shift.push_back(std::clamp(g.mantissa - 1 + spread - 7 + static_cast<int>(source.between(-2, 3)), 0, 63));
    }
    if (source.between(0, 63) == 0) product.shift.back() = static_cast<int>(source.between(0, 63));
  }
  return product;
}

}  // namespace halftone::rtl
