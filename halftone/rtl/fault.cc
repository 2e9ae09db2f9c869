#include "halftone/rtl/fault.h"

#include <fmt/format.h>

#include <stdexcept>

#include "halftone/base/digest.h"
#include "halftone/base/file.h"
#include "halftone/rtl/texts.h"

namespace halftone::rtl {
namespace {

std::string with_fault(const Text& text, const std::optional<Fault>& fault) {
  std::string result(text.text);
  if (!fault || fault->module + ".sv" != text.name) return result;
  const std::size_t at = result.find(fault->from);
  if (at == std::string::npos || result.find(fault->from, at + 1) != std::string::npos)
    throw std::logic_error(fmt::format("'{}' does not stand in {} once", fault->from, text.name));
  return result.replace(at, fault->from.size(), fault->to);
}

}  // namespace

void write_library(const std::filesystem::path& folder, const std::optional<Fault>& fault) {
  std::filesystem::create_directories(folder);
  for (const Text& text : embedded_texts())
    if (text.folder == "library") write_file(folder / text.name, with_fault(text, fault));
}

std::string digest_of_library(const std::optional<Fault>& fault) {
  Digest digest;
  for (const Text& text : embedded_texts())
    if (text.folder == "library") {
      const std::string each = with_fault(text, fault);
      digest.add(std::as_bytes(std::span(each)));
    }
  return digest.text();
}

}  // namespace halftone::rtl
