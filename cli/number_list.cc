#include "cli/number_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "halftone/base/error.h"

namespace halftone::cli {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts{""};
  for (char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

int parse_number(const std::string& option, const std::string& part, std::string_view digits, int least,
                 int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (!whole || digits.starts_with('-') || value < least || value > most)
    throw UsageError(option, fmt::format("got '{}', expected numbers from {} to {}, as {}-{} or {},{}", part,
                                         least, most, least, most, least, most));
  return value;
}

}  // namespace

std::vector<int> parse_numbers(const std::string& option, const std::string& text, int least, int most) {
  std::set<int> numbers;
  for (const std::string& part : split(text)) {
    const std::string_view all = part;
    const std::size_t dash = all.find('-');
    const int first = parse_number(option, part, all.substr(0, dash), least, most);
    const int last =
        dash == std::string::npos ? first : parse_number(option, part, all.substr(dash + 1), least, most);
    if (last < first)
      throw UsageError(option,
                       fmt::format("got '{}', expected the smaller number first: {}-{}", part, last, first));
    for (int number = first; number <= last; ++number)
      if (!numbers.insert(number).second)
        throw UsageError(option, fmt::format("got {} twice in '{}', expected once", number, text));
  }
  return {numbers.begin(), numbers.end()};
}

std::vector<std::string> parse_words(const std::string& option, const std::string& text) {
  std::vector<std::string> words = split(text);
  std::set<std::string> seen;
  for (const std::string& word : words) {
    if (word.empty()) throw UsageError(option, fmt::format("got '{}', expected words between commas", text));
    if (!seen.insert(word).second)
      throw UsageError(option, fmt::format("got '{}' twice, expected once", word));
  }
  return words;
}

}  // namespace halftone::cli
