#include "halftone/data/bytes.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone::data {

std::span<const std::byte> ByteReader::take(std::size_t count) {
  if (count > bytes_.size())
    throw InputError(where_, fmt::format("ends early, got {} more bytes, expected {}", bytes_.size(), count));
  const auto taken = bytes_.first(count);
  bytes_ = bytes_.subspan(count);
  return taken;
}

std::string_view ByteReader::take_text(std::size_t count) {
  const auto taken = take(count);
  return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

void append(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append(std::vector<std::byte>& out, std::string_view text) {
  append(out, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace halftone::data
