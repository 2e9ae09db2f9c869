// Enumerators and the names users write for them, in one table.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "halftone/base/error.h"

namespace halftone {

template <typename E>
struct Named {
  E value;
  std::string_view name;
};

template <typename E, std::size_t N>
std::string_view name_in(const Named<E> (&table)[N], E value) {
  return std::ranges::find(table, value, &Named<E>::value)->name;
}

// Throws UsageError listing the names.
template <typename E, std::size_t N>
E value_in(const Named<E> (&table)[N], std::string_view name, std::string_view where) {
  const auto found = std::ranges::find(table, name, &Named<E>::name);
  if (found != std::end(table)) return found->value;
  std::string known;
  for (const Named<E>& row : table) known += (known.empty() ? "" : ", ") + std::string(row.name);
  throw UsageError(where, "got '" + std::string(name) + "', expected one of " + known);
}

}  // namespace halftone
