// Reading TOML, table by table and key by key: a key that nobody reads is an error.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>
#define TOML_HEADER_ONLY 0  // Debian's shared library
#define TOML_SHARED_LIB 1
#include <toml++/toml.h>

#include "halftone/base/error.h"
#include "halftone/base/named.h"
#include "halftone/base/shown.h"

namespace halftone {

// Where a string that begins with a quote ends: behind its last quote, or at the end of its line where that is missing.
inline std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string_view thrice = quote == '"' ? "\"\"\"" : "'''";
  const bool lines = text.substr(at).starts_with(thrice);
  for (at += lines ? 3 : 1; at < text.size(); ++at) {
    if (text[at] == '\n' && !lines) return at;
    if (text[at] == '\\' && quote == '"') ++at;
    else if (!lines && text[at] == quote) return at + 1;
    else if (lines && text.substr(at).starts_with(thrice)) {
      // One or two more quotes may stand before the three that end it.
      const std::size_t end = std::min(text.find_first_not_of(quote, at), text.size());
      return std::min(end, at + 5);
    }
  }
  return text.size();
}

// toml++ 3.3 goes one call deeper for every part of a dotted key. (Later: TOML_MAX_DOTTED_KEYS_DEPTH.)
inline void expect_few_dots(std::string_view text, const std::string& where) {
  constexpr int kMost = 5000;
  std::size_t dots = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"' || text[at] == '\'') {
      at = end_of_string(text, at) - 1;
    } else if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size()) - 1;
    } else if (text[at] == '\n') {
      dots = 0;
    } else if (text[at] == '.' && ++dots > kMost) {
      const auto line = std::ranges::count(text.substr(0, at), '\n') + 1;
      throw InputError(where, fmt::format("line {} has more dots than {}", line, kMost));
    }
  }
}

// Throws InputError naming the line.
inline toml::table parse_toml(std::string_view text, const std::string& where) {
  expect_few_dots(text, where);
  try {
    return toml::parse(text, where);
  } catch (const toml::parse_error& error) {
    throw InputError(where, fmt::format("line {}: {}", error.source().begin.line, error.description()));
  }
}

// As a TOML string of one line, quotes and all: literal where every character is plain. Throws UnsupportedError for what
// is not UTF-8, which TOML cannot hold.
inline std::string toml_quoted(std::string_view text) {
  std::string escaped;
  bool literal = true;
  for (std::string_view rest = text; !rest.empty();) {
    const Character c = first_character(rest);
    if (!c.valid)
      throw UnsupportedError("recipe", fmt::format("text '{}' is not UTF-8, expected what TOML can hold", shown(text)));
    const bool plain = c.plain || c.code == '\t';
    literal = literal && plain && c.code != '\'';
    if (c.code == '"' || c.code == '\\') escaped += '\\';
    if (plain)
      escaped += rest.substr(0, c.bytes);
    else
      escaped += c.code > 0xFFFF ? fmt::format("\\U{:08X}", static_cast<unsigned>(c.code))
                                 : fmt::format("\\u{:04X}", static_cast<unsigned>(c.code));
    rest.remove_prefix(c.bytes);
  }
  return literal ? fmt::format("'{}'", text) : fmt::format("\"{}\"", escaped);
}

class TomlTable {
 public:
  TomlTable(const toml::table& table, std::string where, std::string name)
      : table_(table), where_(std::move(where)), name_(std::move(name)) {}

  void read(const char* key, bool& value) { read_as<bool>(key, value, "true or false"); }
  void read(const char* key, std::string& value) { read_as<std::string>(key, value, "a text"); }
  void read(const char* key, std::vector<std::string>& texts) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr) fail(key, "is of another kind, expected a list of texts");
    texts.clear();
    for (const toml::node& element : *list) {
      const auto* text = element.as_string();
      if (text == nullptr) fail(key, "is of another kind, expected a list of texts");
      texts.push_back(text->get());
    }
  }
  void read(const char* key, int& value, int least, int most) {
    std::int64_t number = value;
    read_as<std::int64_t>(key, number, "a whole number");
    if (number < least || number > most)
      fail(key, fmt::format("got {}, expected {} to {}", number, least, most));
    value = static_cast<int>(number);
  }
  // A whole number too.
  void read(const char* key, double& value) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto number = node->value<double>();
    if (!node->is_number() || !number) fail(key, "is of another kind, expected a number");
    value = *number;
  }
  template <typename E, std::size_t N>
  void read(const char* key, E& value, const Named<E> (&names)[N]) {
    std::string text(name_in(names, value));
    read(key, text);
    try {
      value = value_in(names, text, key);
    } catch (const UsageError& error) {
      fail(key, error.what());
    }
  }
  // Throws InputError for a key that was not read.
  void expect_no_more() const {
    for (const auto& [key, node] : table_)
      if (!known_.contains(std::string(key.str()))) fail(std::string(key.str()).c_str(), "is no setting");
  }
  [[noreturn]] void fail(const char* key, const std::string& what) const {
    const toml::node* node = table_.get(key);
    const auto line = node == nullptr ? 0 : node->source().begin.line;
    throw InputError(where_, fmt::format("line {}: {}{}{} {}", line, name_, name_.empty() ? "" : ".", key, what));
  }

 private:
  template <typename T>
  void read_as(const char* key, T& value, const char* kind) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) return;
    const auto* typed = node->as<T>();
    if (typed == nullptr) fail(key, fmt::format("is of another kind, expected {}", kind));
    value = typed->get();
  }

  const toml::table& table_;
  std::string where_;
  std::string name_;
  std::set<std::string> known_;
};

}  // namespace halftone
