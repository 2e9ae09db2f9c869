#include "halftone/base/address_space.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <mutex>
#include <new>

namespace halftone {

bool is_limited() {
  static const bool limited = [] {
    rlimit limit{};
    return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  }();
  return limited;
}

bool is_left(std::size_t bytes) {
  if (!is_limited()) return true;
  const std::size_t all = bytes + kReserveBytes;
  if (all < bytes) return false;
  // One at a time: a thread would take another's trial for memory in use.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  void* const tried = ::mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (tried == MAP_FAILED) return false;
  ::munmap(tried, all);
  return true;
}

void expect_left(std::size_t bytes) {
  if (!is_left(bytes)) throw std::bad_alloc();
}

std::size_t stack_bytes() {
  pthread_attr_t attributes;
  std::size_t bytes = 0;
  if (::pthread_getattr_default_np(&attributes) != 0) return bytes;
  ::pthread_attr_getstacksize(&attributes, &bytes);
  ::pthread_attr_destroy(&attributes);
  return bytes;
}

}  // namespace halftone
