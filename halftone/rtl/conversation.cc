#include "halftone/rtl/conversation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "halftone/base/error.h"

namespace halftone::rtl {
namespace {

std::pair<Descriptor, Descriptor> pipe_of_two() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw SystemError("rtl", fmt::format("no pipe to a simulation: {}", std::strerror(errno)));
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace

Conversation::Conversation(const std::filesystem::path& program) : program_(program) {
  auto [their_in, our_out] = pipe_of_two();
  auto [our_in, their_out] = pipe_of_two();
  const char* const path = program_.c_str();
  char* const arguments[] = {const_cast<char*>(path), nullptr};
  child_ = ::fork();
  if (child_ == 0) {
    ::signal(SIGPIPE, SIG_DFL);
    if (::dup2(their_in.get(), 0) < 0 || ::dup2(their_out.get(), 1) < 0) ::_exit(127);
    ::execv(path, arguments);
    ::_exit(127);
  }
  if (child_ < 0) throw SystemError("rtl", fmt::format("'{}' cannot be started: {}", program_.string(), std::strerror(errno)));
  to_ = std::move(our_out);
  from_ = std::move(our_in);
}

Conversation::~Conversation() {
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Conversation::has_ended() const { throw SystemError("rtl", fmt::format("the simulation '{}' has ended before its time", program_.string())); }

void Conversation::say(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(to_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) has_ended();
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void Conversation::hear(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::read(from_.get(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) has_ended();
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace halftone::rtl
