#include "cli/process.h"

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "halftone/base/address_space.h"
#include "halftone/base/child_groups.h"
#include "halftone/base/new_file.h"

namespace halftone::cli {
namespace {

constexpr std::size_t kStackBytes = std::size_t{256} << 10;

std::atomic<int> received{0};
std::atomic<bool> is_held{false};
sem_t has_received;

// Whichever thread it came to goes on until the process ends: it may hold what the clean-up needs.
void note_signal(int signal) {
  received = signal;
  if (!is_held) ::sem_post(&has_received);
}

// A thread may take locks, as a handler may not.
void* wait_for_signal(void*) {
  while (::sem_wait(&has_received) != 0) {
  }
  abandon_new_files();
  end_child_groups();
  ::kill(::getpid(), received);
  ::_exit(128 + received);  // process 1 of a container survives signals that it does not handle
}

// Those that end a process that says nothing else: `nohup`, and a shell's `&`, have it ignore some.
void handle_ending_signals() {
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART | SA_RESETHAND;
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) ::sigaction(signal, &action, nullptr);
  }
}

// Where there is no thread to be had, signals act as they do without this.
void watch_signals() {
  pthread_attr_t attributes;
  if (::sem_init(&has_received, 0, 0) != 0 || ::pthread_attr_init(&attributes) != 0) return;
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  ::pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread{};
  if (::pthread_create(&thread, &attributes, wait_for_signal, nullptr) == 0) handle_ending_signals();
  ::pthread_attr_destroy(&attributes);
}

}  // namespace

void prepare_process() {
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  if (is_limited()) ::mallopt(M_ARENA_MAX, 1);
  watch_signals();
}

HeldSignals::HeldSignals() { is_held = true; }
HeldSignals::~HeldSignals() {
  is_held = false;
  if (!asked()) return;
  ::sem_post(&has_received);
  while (true) ::pause();  // until the thread that waits ends the process
}
bool HeldSignals::asked() const { return received != 0; }

void end_by_broken_pipe() {
  std::signal(SIGPIPE, SIG_DFL);
  std::raise(SIGPIPE);
}

}  // namespace halftone::cli
