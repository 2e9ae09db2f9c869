#include "halftone/rtl/tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <thread>

#include "halftone/base/child_groups.h"
#include "halftone/base/error.h"

namespace halftone::rtl {
namespace {

std::filesystem::path place_of(const std::string& program) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0 ? program : "";
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::filesystem::path place = std::filesystem::path(rest.substr(0, end)) / program;
    if (end > 0 && ::access(place.c_str(), X_OK) == 0) return place;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return "";
}

// Between fork and exec: only what is safe there.
[[noreturn]] void become(const char* program, char* const* arguments, const char* folder, int log) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0 || ::chdir(folder) != 0) ::_exit(127);
  ::signal(SIGPIPE, SIG_DFL);
  ::execv(program, arguments);
  ::_exit(127);
}

// The exit status; killed with all of its processes once the time is up.
ToolEnd wait_for(pid_t child, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  auto pause = std::chrono::milliseconds(1);
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ToolEnd::succeeded : ToolEnd::failed;
    if (ended < 0 && errno != EINTR) throw SystemError("rtl", fmt::format("cannot wait for a tool: {}", std::strerror(errno)));
    if (std::chrono::steady_clock::now() >= end) {
      ::kill(-child, SIGKILL);
      while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      return ToolEnd::time_is_up;
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }
}

// The log's first line that tells of an error, otherwise its last one.
std::string complaint_in(const std::filesystem::path& log) {
  std::ifstream file(log);
  std::string line, last;
  while (std::getline(file, line)) {
    if (line.find("%Error") != std::string::npos || line.find("ERROR") != std::string::npos || line.find("error:") != std::string::npos) return line;
    if (line.find_first_not_of(" \t") != std::string::npos) last = line;
  }
  return last;
}

}  // namespace

bool is_there(const Tool& tool) { return !place_of(tool.program).empty(); }

void require(const Tool& tool) {
  if (!is_there(tool))
    throw UnsupportedError("rtl", fmt::format("{} is not there, expected it in PATH (Debian's package {})", tool.program, tool.package));
}

ToolEnd run(const ToolRun& call) {
  require(call.tool);
  const std::string program = place_of(call.tool.program);
  std::vector<char*> arguments{const_cast<char*>(call.tool.program.c_str())};
  for (const std::string& argument : call.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int log = ::open(call.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (log < 0) throw SystemError(call.log.string(), fmt::format("cannot be written: {}", std::strerror(errno)));
  const pid_t child = ::fork();
  if (child == 0) become(program.c_str(), arguments.data(), call.folder.c_str(), log);
  ::close(log);
  if (child < 0) throw SystemError("rtl", fmt::format("{} cannot be started: {}", call.tool.program, std::strerror(errno)));
  ::setpgid(child, child);  // whichever of the two comes first
  const ChildGroup group(child);
  return wait_for(child, call.limit);
}

void run_or_throw(const ToolRun& call) {
  const ToolEnd end = run(call);
  if (end == ToolEnd::succeeded) return;
  const std::string why = end == ToolEnd::time_is_up ? fmt::format("is not done after {} s", call.limit.count()) : "failed: " + complaint_in(call.log);
  throw SystemError("rtl", fmt::format("{} {} ({})", call.tool.program, why, call.log.string()));
}

}  // namespace halftone::rtl
