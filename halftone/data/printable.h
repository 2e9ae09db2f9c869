// Text from outside, made fit for a one-line message.
#pragma once

#include <string>
#include <string_view>

namespace halftone::data {

// Anything but printable ASCII becomes '?', and what goes past 64 characters "...".
std::string printable(std::string_view text);

}  // namespace halftone::data
