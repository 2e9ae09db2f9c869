#include "halftone/engine/requantizations.h"

namespace halftone::engine {
namespace {

template <typename To, typename From>
std::vector<To> for_each_entry(const std::vector<From>& given, std::int64_t entries) {
  if (given.size() == 1) return std::vector<To>(static_cast<std::size_t>(entries), static_cast<To>(given[0]));
  return std::vector<To>(given.begin(), given.end());
}

}  // namespace

kernels::Requantization requantization_of(const qgraph::Requantizer& requantizer, std::int64_t entries, const Layout& y) {
  kernels::Requantization result{.rounding = requantizer.rounding, .bounds = requantizer.bounds};
  result.bounds.zero_point -= y.base;
  result.bounds.lo -= y.base;
  result.bounds.hi -= y.base;
  if (const auto* multiply = std::get_if<qgraph::MultiplyShift>(&requantizer.scaling)) {
    result.m = for_each_entry<std::int64_t>(multiply->m, entries);
    result.shift = for_each_entry<int>(multiply->shift, entries);
  } else if (const auto* shift = std::get_if<qgraph::Shift>(&requantizer.scaling)) {
    result.m.assign(static_cast<std::size_t>(entries), 1);
    result.shift = for_each_entry<int>(shift->shift, entries);
  } else {
    result.M = for_each_entry<float>(std::get<qgraph::Float32>(requantizer.scaling).M, entries);
  }
  return result;
}

}  // namespace halftone::engine
