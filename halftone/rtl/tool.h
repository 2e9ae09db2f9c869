// Programs of others: Verilator, Yosys, z3, nextpnr, and the simulations that are built here.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace halftone::rtl {

struct Tool {
  std::string program;  // found in PATH
  std::string package;  // of Debian's that has it
};

// Whether PATH has it.
bool is_there(const Tool& tool);
// Throws UnsupportedError that names the package.
void require(const Tool& tool);

struct ToolRun {
  Tool tool;
  std::vector<std::string> arguments;
  std::filesystem::path folder;  // where it runs
  std::filesystem::path log;     // gets all that it prints
  std::chrono::seconds limit{3600};
};

enum class ToolEnd { succeeded, failed, time_is_up };

// Runs it to its end, or to that of its time, when all of its processes are killed. Throws UnsupportedError where it is missing, and
// SystemError where it cannot be started.
ToolEnd run(const ToolRun& call);
// The same; throws SystemError with the log's last line that tells of an error, unless it succeeded.
void run_or_throw(const ToolRun& call);

}  // namespace halftone::rtl
