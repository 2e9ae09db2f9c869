#include "halftone/data/printable.h"

namespace halftone::data {

std::string printable(std::string_view text) {
  constexpr std::size_t kMaxLength = 64;
  std::string result;
  for (char c : text.substr(0, kMaxLength)) result += c >= ' ' && c <= '~' ? c : '?';
  if (text.size() > kMaxLength) result += "...";
  return result;
}

}  // namespace halftone::data
