// Damage that a reader of outside files must survive: every truncation and changed bytes.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <vector>

#include "halftone/base/error.h"

namespace halftone::data {

// `parse` throws InputError or returns; any other exception fails the test.
template <typename F>
void expect_survives(std::span<const std::byte> bytes, const F& parse) {
  try {
    parse(bytes);
  } catch (const InputError& error) {
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "expected InputError, got " << error.what();
  }
}

// Every length shorter than the whole has to be refused, not only survived.
template <typename F>
void expect_refuses_truncations(std::span<const std::byte> whole, const F& parse) {
  for (std::size_t length = 0; length < whole.size(); ++length) {
    // A copy of exactly this size, so that AddressSanitizer sees a read past its end.
    const std::vector<std::byte> shorter(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_THROW(parse(shorter), InputError) << "length " << length;
  }
}

// Every single byte set to each of a few values, then several bytes at once at pseudorandom places.
template <typename F>
void expect_survives_changes(std::span<const std::byte> whole, const F& parse) {
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int value : {0x00, 0x01, 0x7f, 0x80, 0xff, std::to_integer<int>(whole[at]) ^ 0x10}) {
      std::vector<std::byte> changed(whole.begin(), whole.end());
      changed[at] = static_cast<std::byte>(value);
      expect_survives(changed, parse);
    }
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> changed(whole.begin(), whole.end());
    for (int i = 0; i < 4; ++i) {
      state = state * 1664525 + 1013904223;
      changed[(state >> 8) % changed.size()] = static_cast<std::byte>(state);
    }
    expect_survives(changed, parse);
  }
}

// The message of the E that `f` throws.
template <typename E, typename F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing of this type was thrown";
  return {};
}

}  // namespace halftone::data
