// The subcommands of `halftone`, one file each. Each adds itself to the command line, and sets `run` when it
// is chosen.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/outcome.h"

namespace halftone::cli {

void add_analyze(CLI::App& app, Run& run);
void add_evaluate(CLI::App& app, Run& run);
void add_export(CLI::App& app, Run& run);
void add_inspect(CLI::App& app, Run& run);
void add_model(CLI::App& app, Run& run);
void add_number(CLI::App& app, Run& run);
void add_calibrate(CLI::App& app, Run& run);
void add_quantize(CLI::App& app, Run& run);
void add_run(CLI::App& app, Run& run);
void add_search(CLI::App& app, Run& run);
void add_sweep(CLI::App& app, Run& run);
void add_train(CLI::App& app, Run& run);
void add_verify(CLI::App& app, Run& run);

// Reads the command line and runs the command; prints errors as one line on standard error.
int run_command_line(int argc, char** argv);

}  // namespace halftone::cli
