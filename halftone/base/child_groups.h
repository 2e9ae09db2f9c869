// A group of processes that was started and has to end with this one.
#pragma once

#include <sys/types.h>

namespace halftone {

// The group that `leader` leads, while this lives; one at a time.
class ChildGroup {
 public:
  explicit ChildGroup(pid_t leader);
  ~ChildGroup();
  ChildGroup(const ChildGroup&) = delete;
  ChildGroup& operator=(const ChildGroup&) = delete;
};

// For a process that is about to end: kills the group that lives.
void end_child_groups();

}  // namespace halftone
