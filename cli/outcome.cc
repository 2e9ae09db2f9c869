#include "cli/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>

#include "halftone/base/error.h"

namespace halftone::cli {

int fail(const std::string& program, std::string message, int code) {
  std::ranges::replace(message, '\n', ' ');
  // Standard error may be closed or full; the exit code still says it.
  std::fputs(fmt::format("{}: {}\n", program, message).c_str(), stderr);
  return code;
}

void print_json(const nlohmann::json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

int guarded(const std::string& program, const Run& run) {
  try {
    const int code = run();
    if (std::fflush(stdout) != 0) return fail(program, "[standard output] cannot write", kBadInput);
    return code;
  } catch (const UsageError& error) {
    return fail(program, error.what(), kUsage);
  } catch (const Error& error) {
    return fail(program, error.what(), kBadInput);
  } catch (const std::bad_alloc&) {
    return fail(program, "[memory] not enough memory for this model and batch", kBadInput);
  } catch (const std::exception& error) {
    return fail(program, fmt::format("[internal] {}, please report this", error.what()), kBadInput);
  }
}

}  // namespace halftone::cli
