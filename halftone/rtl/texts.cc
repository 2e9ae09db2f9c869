#include "halftone/rtl/texts.h"

#include <stdexcept>
#include <string>

namespace halftone::rtl {

std::string_view embedded_text(std::string_view folder, std::string_view name) {
  for (const Text& each : embedded_texts())
    if (each.folder == folder && each.name == name) return each.text;
  throw std::logic_error(std::string("no embedded text ") + std::string(folder) + "/" + std::string(name));
}

}  // namespace halftone::rtl
