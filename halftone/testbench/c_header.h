// A testbench's integers as a header for C99 and C++.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "halftone/testbench/integer_array.h"

namespace halftone::testbench {

inline constexpr std::int64_t kMostInHeader = 1 << 17;  // integers of one array: larger ones are left to the other files

class CHeader {
 public:
  // `name` is an identifier. Whether the array is in the header.
  bool add(std::string_view name, const IntegerArray& array);
  void add(std::string_view name, std::int64_t number);
  // Another name of an array that is in the header; false where there is none of that name.
  bool alias(std::string_view name, std::string_view array);
  std::string text(std::int64_t samples) const;

 private:
  std::string body_;
  std::set<std::string, std::less<>> arrays_;
};

}  // namespace halftone::testbench
