#include "halftone/base/child_groups.h"

#include <signal.h>

#include <atomic>

namespace halftone {
namespace {

std::atomic<pid_t> group{0};  // tools run one at a time

}  // namespace

ChildGroup::ChildGroup(pid_t leader) { group = leader; }
ChildGroup::~ChildGroup() { group = 0; }

void end_child_groups() {
  if (const pid_t leader = group; leader > 0) ::kill(-leader, SIGKILL);
}

}  // namespace halftone
