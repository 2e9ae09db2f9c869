// A change to a written module, to see that simulations and proofs find it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace halftone::rtl {

struct Fault {
  std::string module;  // of the library
  std::string from;    // text that stands there once
  std::string to;
};

// The written modules into a folder, with the fault in. Throws std::logic_error for a text that is not there once.
void write_library(const std::filesystem::path& folder, const std::optional<Fault>& fault = std::nullopt);
// Names the library with the fault in, for what is kept of it.
std::string digest_of_library(const std::optional<Fault>& fault = std::nullopt);

}  // namespace halftone::rtl
