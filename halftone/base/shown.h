// Other people's text, made fit to be read on a terminal, in a message or on a page: it can neither move the cursor,
// nor turn the direction of what stands beside it, nor begin a line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace halftone {

// The first character of a text that is not empty.
struct Character {
  std::size_t bytes = 1;
  char32_t code = 0;   // of a byte that is not UTF-8 the byte itself
  bool valid = false;  // UTF-8
  // Has a shape: no control character (C0, C1, DEL), no line or paragraph separator, nothing that directs or joins
  // what stands beside it, and no code that stands for no character.
  bool plain = false;
};
Character first_character(std::string_view text);

bool is_utf8(std::string_view text);

inline constexpr std::size_t kMostShown = 200;     // of a name
inline constexpr std::size_t kMostMessage = 2000;  // of a sentence
inline constexpr std::size_t kAll = ~std::size_t{0};

// Characters that are not plain as \x1b (of one byte) or \u202e. Text past `most` bytes is left out of the middle,
// where "…" stands. Done twice it gives the same.
std::string shown(std::string_view text, std::size_t most = kMostShown);

}  // namespace halftone
