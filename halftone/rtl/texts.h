// The written modules, proofs and the driver, as the program carries them.
#pragma once

#include <span>
#include <string_view>

namespace halftone::rtl {

struct Text {
  std::string_view folder;  // library, proofs or cosim
  std::string_view name;    // of the file
  std::string_view text;
};

std::span<const Text> embedded_texts();
// Throws std::logic_error for a name that the folder does not have.
std::string_view embedded_text(std::string_view folder, std::string_view name);

}  // namespace halftone::rtl
