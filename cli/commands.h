// The subcommands of `halftone`, one file each. Each adds itself to the command line, and sets `run` when it
// is chosen.
#pragma once

#include "cli/command_line.h"

#include "cli/outcome.h"

namespace halftone::cli {

void add_analyze(Command app, Run& run);
void add_bench(Command app, Run& run);
void add_evaluate(Command app, Run& run);
void add_export(Command app, Run& run);
void add_inspect(Command app, Run& run);
void add_model(Command app, Run& run);
void add_number(Command app, Run& run);
void add_calibrate(Command app, Run& run);
void add_quantize(Command app, Run& run);
void add_rtl(Command app, Run& run);
void add_run(Command app, Run& run);
void add_search(Command app, Run& run);
void add_sweep(Command app, Run& run);
void add_train(Command app, Run& run);
void add_verify(Command app, Run& run);

// Reads the command line and runs the command; prints errors as one line on standard error.
int run_command_line(int argc, char** argv);

}  // namespace halftone::cli
