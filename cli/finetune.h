// `halftone finetune`: quantization-aware training of a file.
#pragma once

#include "cli/command_line.h"

namespace halftone::cli {

void add_finetune(Command command, Run& run);

}  // namespace halftone::cli
