// How a program ends: exit codes, and errors as one line on standard error.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace halftone::cli {

inline constexpr int kYes = 0;       // done; the answer is yes
inline constexpr int kNo = 1;        // done; the answer is no
inline constexpr int kUsage = 2;     // the command line makes no sense
inline constexpr int kBadInput = 3;  // a file is missing, damaged or not supported, or the disk is full

// What to do once the command line is read. Returns an exit code.
using Run = std::function<int()>;

// Prints "program: message" as one line and returns the code.
int fail(const std::string& program, std::string message, int code);

// Prints JSON to standard output; text that is not UTF-8 is replaced.
void print_json(const nlohmann::json& json);

// Runs, and turns what it throws into a line and a code.
int guarded(const std::string& program, const Run& run);

}  // namespace halftone::cli
