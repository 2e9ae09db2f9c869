// `halftone train` and `halftone finetune`: epochs in float, then at the integers.
#pragma once

#include "cli/command_line.h"

namespace halftone::cli {

void add_training(Command command, bool finetunes, Run& run);

}  // namespace halftone::cli
