#include "halftone/engine/pool.h"

#include <sched.h>

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

namespace halftone::engine {
namespace {

using namespace std::chrono_literals;

// Spinning is for the gap between two layers. Whoever waits longer sleeps.
constexpr auto kSpin = 50us;
// A thread that loses its core in the middle of a part holds everybody up. After such a stall the caller works alone for so many
// times as long, and longer each time it happens again.
constexpr auto kAwakening = 1ms;  // in which a thread that slept may be slow
constexpr int kRests = 20;
constexpr auto kMostRest = 2s;
constexpr auto kCrowdedRest = 5ms;  // until the system has moved one of two threads on a core

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Whether `is_true` became so before the spin was over.
template <typename Condition>
bool spin_until(const Condition& is_true) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      if (is_true()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return is_true();
}

// This thread runs on other cores than this one, where there is one for each of `threads`. Some systems wake a thread on the core of
// the one that calls it, even if others are idle: both would then wait for each other.
void keep_off(int core, int threads) {
  cpu_set_t cores;
  if (core < 0 || sched_getaffinity(0, sizeof(cores), &cores) != 0) return;
  CPU_CLR(static_cast<std::size_t>(core), &cores);
  if (CPU_COUNT(&cores) >= threads - 1) sched_setaffinity(0, sizeof(cores), &cores);
}

}  // namespace

Pool::Pool(int threads) {
  workers_.reserve(static_cast<std::size_t>(std::max(0, threads - 1)));
  try {
    for (int t = 1; t < threads; ++t)
      workers_.emplace_back([this, t, threads, core = sched_getcpu()] {
        keep_off(core, threads);
        {
          const std::lock_guard lock(mutex_);
          ++begun_;
        }
        job_is_done_.notify_one();
        work(t);
      });
  } catch (const std::system_error&) {  // no more threads: those that are there do the work
  } catch (const std::bad_alloc&) {
  }
  std::unique_lock lock(mutex_);
  job_is_done_.wait(lock, [this] { return begun_ == workers_.size(); });
}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  job_is_there_.notify_all();
}

void Pool::expect(double nanoseconds) {
  constexpr double kLong = 200e3;
  wakes_sleepers_ = nanoseconds >= kLong || Clock::now() < last_end_ + kSpin;
}

void Pool::run(const Job& job) {
  job_ = job;
  failure_ = nullptr;
  failed_part_ = job.parts;
  done_.store(0, std::memory_order_relaxed);
  if (workers_.empty() || job.parts <= 1 || is_resting()) {
    for (std::int64_t part = 0; part < job.parts; ++part) do_part(part, 0);
  } else {
    share();
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Pool::share() {
  const Clock::time_point start = Clock::now();
  caller_core_.store(sched_getcpu(), std::memory_order_relaxed);
  left_.store(job_.parts);
  if (wakes_sleepers_ && sleepers_.load() > 0) {
    { const std::lock_guard lock(mutex_); }  // a thread that looks for work now sees this job, or hears the call
    const std::int64_t wanted = job_.parts - 1;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(wanted, sleepers_.load()); ++i) job_is_there_.notify_one();
    last_call_ = start;
  }
  std::int64_t own = 0;
  while (do_one(0)) ++own;
  const Clock::time_point end = Clock::now();
  wait_for_others();
  last_end_ = Clock::now();
  rest_after(last_end_ - end, (end - start) / std::max<std::int64_t>(1, own));
}

bool Pool::do_one(int thread) {
  std::int64_t left = left_.load(std::memory_order_acquire);
  while (left > 0)
    if (left_.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel)) {
      do_part(job_.parts - left, thread);  // the job cannot end before this part does
      return true;
    }
  return false;
}

void Pool::do_part(std::int64_t part, int thread) {
  const std::int64_t parts = job_.parts;
  try {
    job_.call(job_.body, part, thread);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (part < failed_part_) {
      failed_part_ = part;
      failure_ = std::current_exception();
    }
  }
  if (done_.fetch_add(1) + 1 == parts && caller_sleeps_.load()) {
    const std::lock_guard lock(mutex_);
    job_is_done_.notify_one();
  }
}

void Pool::work(int thread) {
  while (!stop_.load(std::memory_order_relaxed)) {
    if (do_one(thread)) continue;
    const bool crowded = is_beside_caller();
    if (crowded) is_crowded_.store(true, std::memory_order_relaxed);
    if (crowded || !spin_until([this] { return left_.load(std::memory_order_relaxed) > 0; })) sleep();
  }
}

bool Pool::is_beside_caller() const { return sched_getcpu() == caller_core_.load(std::memory_order_relaxed); }

void Pool::sleep() {
  sleepers_.fetch_add(1);
  {
    std::unique_lock lock(mutex_);
    job_is_there_.wait(lock, [this] { return left_.load() > 0 || stop_.load(); });
  }
  sleepers_.fetch_sub(1);
}

void Pool::wait_for_others() {
  const auto is_done = [this] { return done_.load() == job_.parts; };
  if (spin_until(is_done)) return;
  caller_sleeps_.store(true);
  {
    std::unique_lock lock(mutex_);
    job_is_done_.wait(lock, is_done);
  }
  caller_sleeps_.store(false);
}

void Pool::rest_after(Clock::duration waited, Clock::duration own_part) {
  if (is_crowded_.exchange(false, std::memory_order_relaxed)) rest_until_ = last_end_ + kCrowdedRest;
  if (waited <= 2 * own_part + kSpin || last_end_ < last_call_ + kAwakening) return;
  const bool again = last_end_ < rest_until_ + 2 * rest_;
  rest_ = std::min<Clock::duration>(std::max(kRests * waited, again ? 2 * rest_ : Clock::duration{}), kMostRest);
  rest_until_ = last_end_ + rest_;
}

}  // namespace halftone::engine
