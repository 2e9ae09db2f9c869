// How a program ends: exit codes, and errors as one line on standard error.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <type_traits>

#include "halftone/base/error.h"
#include "halftone/base/shown.h"

namespace halftone::cli {

inline constexpr int kYes = 0;       // done; the answer is yes
inline constexpr int kNo = 1;        // done; the answer is no
inline constexpr int kUsage = 2;     // the command line makes no sense
inline constexpr int kBadInput = 3;  // a file is missing, damaged or not supported, or the disk is full

// The work to do once the command line is read. Returns an exit code.
using Run = std::function<int()>;

// A remedy in the words of the command line; "" of none.
std::string remedy_text(Remedy remedy);

// Prints "program: message" as one line and returns the code.
int fail(const std::string& program, std::string message, int code);

void print_text(const std::string& line);  // uncut

// Prints to standard output, as one line whatever other people's text it holds: as shown() gives it, and each part of
// text cut as a message is.
template <typename... Parts>
void print_line(fmt::format_string<Parts...> format, Parts&&... parts) {
  [[maybe_unused]] const auto fit = []<typename Part>(Part& part) -> decltype(auto) {
    if constexpr (std::is_convertible_v<Part&, std::string_view>)
      return shown(part, kMostMessage);
    else
      return (part);
  };
  print_text(fmt::format(fmt::runtime(static_cast<fmt::string_view>(format)), fit(parts)...));
}

// Brings what was printed out. Throws std::system_error when standard output takes it no more.
void flush_standard_output();

// Prints JSON to standard output in ASCII: what is not is escaped as JSON does, and text that is not UTF-8 replaced.
void print_json(const nlohmann::json& json);

// Runs, and turns what it throws into a line and a code. Files read and files written stay apart (FilesInUse), and
// signals leave nothing unfinished behind.
int guarded(const std::string& program, const Run& run);

}  // namespace halftone::cli
