// Lists of the engine's instruction sets on the command line.
#pragma once

#include <string>
#include <vector>

#include "halftone/kernels/isa.h"

namespace halftone::cli {

// "generic,avx2" as it stands. Throws UsageError naming `option` for an unknown word or one given twice, and UnsupportedError for an
// instruction set that this machine has not.
std::vector<kernels::Isa> parse_isas(const std::string& option, const std::string& text);

// Those that this machine has, for --help: "generic, avx2".
std::string supported_isa_names();

}  // namespace halftone::cli
