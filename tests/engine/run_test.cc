// Many threads on one program, and what a run asks of the system: nothing, with more threads a futex.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <thread>

#include "halftone/engine/program.h"
#include "halftone/lower/lower.h"
#include "halftone/quant/quantize.h"
#include "tests/quant/network.h"

namespace halftone::engine {
namespace {

qgraph::QuantizedGraph integers() {
  const ir::Graph real = quant::conv_network();
  return lower::lower(quant::quantize(real, quant::ranges_of(real), {}).graph);
}

// The outputs of `samples` samples, run after run.
class Runs {
 public:
  Runs(const Program& program, std::int64_t samples, int threads = 1)
      : program_(program), context_(program, threads), samples_(samples), x_(ir::random_floats({samples, 1, 4, 4}, 5)),
        y_(static_cast<std::size_t>(samples) * program.outputs().at(0).bytes()) {}
  const std::vector<std::byte>& operator()() {
    const std::span<const std::byte> inputs[] = {x_.bytes()};
    const std::span<std::byte> outputs[] = {y_};
    program_.run(context_, samples_, inputs, outputs);
    return y_;
  }

 private:
  const Program& program_;
  Program::Context context_;
  std::int64_t samples_;
  Tensor x_;
  std::vector<std::byte> y_;
};

TEST(Run, TenThousandOfEightThreadsAgree) {
  const Program program(integers(), {.batch = 3, .least_part = 0.0});
  for (int shared_by : {1, 2}) {
    const std::vector<std::byte> expected = Runs(program, 3)();
    std::atomic<int> different = 0;
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
          Runs runs(program, 3, shared_by);
          for (int i = 0; i < 10000 / 8 / 2; ++i) different += runs() != expected;
        });
    }
    EXPECT_EQ(different, 0);
  }
}

#if defined(__x86_64__)
// From here on the process dies of any system call but its end and, where it is allowed, a futex.
bool forbid_system_calls(bool futex) {
  const auto number = static_cast<unsigned>(offsetof(seccomp_data, nr));
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(futex ? SYS_futex : SYS_exit_group), 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(filter), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

enum Ending { same = 0, different = 1, no_filter = 2 };

// Runs in a process of its own, with its own threads.
int run_without_system_calls(int threads) {
  const pid_t child = fork();
  if (child == 0) {
    const Program program(integers(), {.batch = 3, .least_part = 0.0});
    Runs runs(program, 3, threads);
    const std::vector<std::byte> expected = runs();
    if (!forbid_system_calls(threads > 1)) _exit(no_filter);
    bool equal = true;
    for (int i = 0; i < 200; ++i) equal = equal && runs() == expected;
    _exit(equal ? same : different);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Run, AsksTheSystemForNothingButAFutex) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "skipped: sanitizers make system calls of their own";
#endif
  for (int threads : {1, 2, 3}) {
    const int ending = run_without_system_calls(threads);
    if (ending == no_filter) GTEST_SKIP() << "skipped: this system has no filter for system calls";
    EXPECT_EQ(ending, same) << threads << " threads";
  }
}
#endif

}  // namespace
}  // namespace halftone::engine
