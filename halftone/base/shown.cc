#include "halftone/base/shown.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace halftone {
namespace {

constexpr std::string_view kEllipsis = "…";

struct CodeRange {
  char32_t first;
  char32_t last;
};
constexpr CodeRange kNotPlain[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},                             // control characters
    {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},       // soft hyphen, letter mark, vowel separator
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},       // separators, joiners, directions
    {0xfdd0, 0xfdef}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},       // no characters, byte order, annotations
    {0xfffe, 0xffff}, {0xe0000, 0xe0fff}, {0x10fffe, 0x10ffff}  // tags and other invisible ones
};

bool is_plain(char32_t code) {
  return std::ranges::none_of(kNotPlain, [&](const CodeRange& r) { return code >= r.first && code <= r.last; });
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::string escape_of(const Character& c) {
  if (!c.valid || c.code < 0x80) return fmt::format("\\x{:02x}", static_cast<unsigned>(c.code));
  if (c.code <= 0xffff) return fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
  return fmt::format("\\U{:08x}", static_cast<unsigned>(c.code));
}

// The ends of a text, `most` bytes or fewer of each: no character or escape, which begin at these
// places, is cut through.
std::string without_middle(const std::string& text, const std::vector<std::size_t>& starts, std::size_t most) {
  const auto last = std::ranges::lower_bound(starts, text.size() - most);
  return text.substr(0, *std::prev(std::ranges::upper_bound(starts, most))) + std::string(kEllipsis) +
         (last == starts.end() ? "" : text.substr(*last));
}

}  // namespace

Character first_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  Character none{.bytes = 1, .code = first};
  if (first < 0x80U) return {1, first, true, is_plain(first)};
  const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
  if (first < 0xC2U || first > 0xF4U || text.size() < length) return none;
  char32_t code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (!continues(text[i])) return none;
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800U && code <= 0xDFFFU;
  if (code < kLeast[length] || surrogate || code > 0x10FFFFU) return none;
  return {length, code, true, is_plain(code)};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character c = first_character(text);
    if (!c.valid) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

std::string shown(std::string_view text, std::size_t most) {
  // Only the ends of a text of megabytes are looked at.
  std::string joined;
  if (text.size() > 64 && most < text.size() / 8 - 4) {
    const std::size_t margin = 4 * most + 16;
    joined = std::string(text.substr(0, margin)) + std::string(text.substr(text.size() - margin));
    text = joined;
  }
  std::string out;
  std::vector<std::size_t> starts;
  while (!text.empty()) {
    const Character c = first_character(text);
    starts.push_back(out.size());
    if (c.plain)
      out += text.substr(0, c.bytes);
    else
      out += escape_of(c);
    text.remove_prefix(c.bytes);
  }
  if (out.size() <= most) return out;
  return without_middle(out, starts, (most - std::min(most, kEllipsis.size())) / 2);
}

}  // namespace halftone
