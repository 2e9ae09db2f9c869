// How signals and limits end the program, which it asks of the system before it works. The library asks for nothing.
#pragma once

namespace halftone::cli {

// SIGINT, SIGTERM and SIGHUP end the process as ever, once no unfinished file is left; a second one ends it at once. A
// file that grows too large (`ulimit -f`) and a pipe without a reader are errors of writing. Where memory is limited (`ulimit -v`), threads share
// one heap, as each of their own would take 64 MB of address space.
void prepare_process();

// While one lives, the first signal that would end the process only sets `asked`; the process ends by it when this goes. A second one ends
// it at once. At most one lives at a time.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  bool asked() const;
};

// Ends the process as a pipe does that nobody reads from any more: without a word. It is called for standard output once
// nothing unfinished is left, as SIGPIPE itself would not wait.
void end_by_broken_pipe();

}  // namespace halftone::cli
