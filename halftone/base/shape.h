// Shapes of tensors: dimensions outermost first, row-major.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace halftone {

using Shape = std::vector<std::int64_t>;

// A dimension not known until run time: the batch of an ir::Graph. Tensors never hold it.
inline constexpr std::int64_t kDynamic = -1;

// No tensor has more elements than this; larger shapes are refused where they are read.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 32;

// Product of the dimensions; 1 for a scalar. Throws InputError for a negative dimension or more than
// kMaxElements elements.
std::int64_t element_count(const Shape& shape, std::string_view where = "shape");

bool is_static(const Shape& shape);

// Product of the dimensions [first, last).
std::int64_t product(const Shape& shape, std::size_t first, std::size_t last);

// `axis` counted from the end when negative. Throws InputError when it is outside [-rank, rank).
int normalize_axis(std::int64_t axis, std::size_t rank, std::string_view where);

// "1x3x32x32", with "N" for kDynamic, and "scalar" for rank 0.
std::string to_string(const Shape& shape);

}  // namespace halftone
