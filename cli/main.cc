#include "cli/commands.h"

int main(int argc, char** argv) { return halftone::cli::run_command_line(argc, argv); }
