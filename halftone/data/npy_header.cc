#include "halftone/data/npy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "halftone/base/error.h"
#include "halftone/base/shown.h"

namespace halftone::data {
namespace {

class Parser {
 public:
  Parser(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  NpyHeader parse() {
    expect('{');
    while (!accept('}')) {
      entry();
      if (accept('}')) break;
      expect(',');
    }
    skip_space();
    if (at_ != text_.size()) fail("nothing after the dictionary");
    for (std::string_view key : {"descr", "fortran_order", "shape"})
      if (!seen(key)) fail(fmt::format("an entry '{}'", key));
    return header_;
  }

 private:
  void entry() {
    const std::string key = string();
    if (seen(key)) fail(fmt::format("'{}' only once", key));
    seen_.push_back(key);
    expect(':');
    if (key == "descr") {
      descr();
    } else if (key == "fortran_order") {
      header_.fortran_order = boolean();
    } else if (key == "shape") {
      shape();
    } else {
      fail("only 'descr', 'fortran_order' and 'shape'");
    }
  }

  void descr() {
    if (peek() == '[' || peek() == '(')
      throw UnsupportedError(where_, "element type of a .npy array, got a record, expected a plain number");
    header_.descr = string();
  }

  bool boolean() {
    skip_space();
    for (bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    fail("True or False");
  }

  void shape() {
    expect('(');
    bool has_comma = false;
    while (!accept(')')) {
      if (header_.shape.size() == kMaxNpyRank) fail(fmt::format("at most {} dimensions", kMaxNpyRank));
      header_.shape.push_back(dimension());
      if (accept(')')) break;
      expect(',');
      has_comma = true;
    }
    if (header_.shape.size() == 1 && !has_comma) fail("a comma after the only dimension");
  }

  std::int64_t dimension() {
    skip_space();
    std::int64_t value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc{} || value < 0) fail("a dimension from 0 to 2^63-1");
    at_ += static_cast<std::size_t>(end - begin);
    // Python 2 wrote its long integers as 3L.
    accept('L');
    return value;
  }

  std::string string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("a quoted string");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("a closing quote");
    const std::string_view value = text_.substr(at_ + 1, end - at_ - 1);
    if (value.find('\\') != std::string_view::npos) fail("a string without escapes");
    at_ = end + 1;
    return std::string(value);
  }

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("'{}'", c));
  }
  bool seen(std::string_view key) const { return std::ranges::find(seen_, key) != seen_.end(); }

  [[noreturn]] void fail(std::string_view expected) const {
    const std::string got = shown(text_.substr(std::min(at_, text_.size()), 16));
    throw InputError(where_, fmt::format("header of a .npy array at character {}, got \"{}\", expected {}",
                                         at_, got, expected));
  }

  std::string_view text_;
  std::string_view where_;
  std::size_t at_ = 0;
  std::vector<std::string> seen_;
  NpyHeader header_;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view text, std::string_view where) {
  return Parser(text, where).parse();
}

std::string encode_npy_header(const NpyHeader& header) {
  std::string shape = fmt::format("{}", fmt::join(header.shape, ", "));
  if (header.shape.size() == 1) shape += ',';
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}", header.descr,
                     header.fortran_order ? "True" : "False", shape);
}

}  // namespace halftone::data
