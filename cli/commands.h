// The subcommands of `halftone`, one file each, and what they share: how a command is chosen and how it ends.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace halftone::cli {

// Exit codes.
inline constexpr int kYes = 0;       // done; the answer is yes
inline constexpr int kNo = 1;        // done; the answer is no
inline constexpr int kUsage = 2;     // the command line makes no sense
inline constexpr int kBadInput = 3;  // a file is missing, damaged or not supported, or the disk is full

// What to do once the command line is read. Returns an exit code.
using Run = std::function<int()>;

void add_evaluate(CLI::App& app, Run& run);
void add_inspect(CLI::App& app, Run& run);
void add_number(CLI::App& app, Run& run);
void add_quantize(CLI::App& app, Run& run);
void add_run(CLI::App& app, Run& run);
void add_train(CLI::App& app, Run& run);
void add_verify(CLI::App& app, Run& run);

// Reads the command line and runs the command; prints errors as one line on standard error.
int run_command_line(int argc, char** argv);

}  // namespace halftone::cli
