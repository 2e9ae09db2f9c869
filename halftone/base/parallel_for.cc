#include "halftone/base/parallel_for.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "halftone/base/address_space.h"

namespace halftone {
namespace {

constexpr std::size_t kThreadBytes = std::size_t{8} << 20;  // that a thread may come to need, besides its stack

// As many as there are to be had: the work is the same with fewer.
template <typename Work>
std::vector<std::jthread> start(std::int64_t count, Work& work) {
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<std::size_t>(std::max<std::int64_t>(count, 0)));
  try {
    // Every thread before this one will want its share of the rest as well.
    for (std::int64_t t = 0; t < count && is_left(stack_bytes() + static_cast<std::size_t>(t) * kThreadBytes); ++t)
      threads.emplace_back(std::ref(work));
  } catch (const std::system_error&) {  // a limit of the system's
  } catch (const std::bad_alloc&) {
  }
  return threads;
}

}  // namespace

int available_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t)>& body) {
  std::atomic<std::int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  std::int64_t failed_at = count;
  auto work = [&] {
    for (;;) {
      const std::int64_t i = next.fetch_add(1);
      if (i >= count) return;
      try {
        body(i);
      } catch (...) {
        // Indices are handed out in order, so every smaller one has started and will report as well.
        const std::lock_guard lock(mutex);
        if (i < failed_at) {
          failed_at = i;
          failure = std::current_exception();
        }
        next.store(count);
      }
    }
  };
  {
    const std::vector<std::jthread> helpers = start(std::min<std::int64_t>(threads, count) - 1, work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace halftone
