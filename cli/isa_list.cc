#include "cli/isa_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/number_list.h"
#include "halftone/base/error.h"

namespace halftone::cli {

std::vector<kernels::Isa> parse_isas(const std::string& option, const std::string& text) {
  std::vector<kernels::Isa> isas;
  for (const std::string& word : parse_words(option, text)) {
    try {
      isas.push_back(kernels::isa_from(word));
    } catch (const UsageError& error) {
      throw UsageError(option, error.message());
    }
    if (!kernels::is_supported(isas.back())) throw UnsupportedError(option, fmt::format("this machine has no {}", word));
  }
  return isas;
}

std::string supported_isa_names() {
  std::vector<std::string_view> names;
  for (kernels::Isa isa : kernels::supported_isas()) names.push_back(kernels::name_of(isa));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace halftone::cli
