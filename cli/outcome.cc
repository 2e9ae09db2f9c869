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
  fmt::print(stderr, "{}: {}\n", program, message);
  return code;
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
