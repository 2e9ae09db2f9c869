// The message of an error.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace halftone {

// The message of the E that `f` throws; fails the test when f throws nothing of that type.
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

}  // namespace halftone
