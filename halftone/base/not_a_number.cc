#include "halftone/base/not_a_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

namespace halftone {
namespace {

constexpr std::size_t kBlock = 4096;

// The first element that is `bad`, which has no branch: blocks are looked at in vectors.
template <typename Bad>
std::optional<std::size_t> find(const Tensor& tensor, Bad bad) {
  return dispatch_dtype(tensor.dtype(), [&](auto tag) -> std::optional<std::size_t> {
    using T = decltype(tag);
    if constexpr (std::is_floating_point_v<Compute<T>>) {
      const std::span<const T> values = tensor.data<T>();
      for (std::size_t first = 0; first < values.size(); first += kBlock) {
        const auto block = values.subspan(first, std::min(kBlock, values.size() - first));
        unsigned found = 0;
        for (const T value : block) found |= static_cast<unsigned>(bad(static_cast<Compute<T>>(value)));
        if (found == 0) continue;
        for (std::size_t i = 0;; ++i)
          if (bad(static_cast<Compute<T>>(block[i]))) return first + i;
      }
    }
    return std::nullopt;
  });
}

}  // namespace

std::optional<std::size_t> find_nan(const Tensor& tensor) {
  return find(tensor, [](auto v) { return v != v; });
}

std::optional<std::size_t> find_not_finite(const Tensor& tensor) {
  return find(tensor, [](auto v) { return !(v - v == 0); });
}

NotANumber::NotANumber(std::string_view where, std::string_view what, std::int64_t row, std::int64_t element)
    : InputError(where, fmt::format("{}, element {} of row {}, got not a number (NaN), expected a number", what, element, row)),
      where_(where),
      what_(what),
      row_(row),
      element_(element) {}

void refuse_nan(std::string_view where, std::string_view what, const Tensor& tensor) {
  const auto at = find_nan(tensor);
  if (!at) return;
  const Shape& shape = tensor.shape();
  const auto element = static_cast<std::int64_t>(*at);
  const std::int64_t of_a_row = shape.empty() ? 1 : product(shape, 1, shape.size());
  throw NotANumber(where, what, element / of_a_row, element % of_a_row);
}

}  // namespace halftone
