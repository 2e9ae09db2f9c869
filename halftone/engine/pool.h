// Threads that share the parts of one job after another. The caller is one of them and never waits for a thread that has not begun:
// parts are claimed, and whoever is there does what is left.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace halftone::engine {

class Pool {
 public:
  // Fewer where the system has no more.
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // A run of jobs begins that together take about so long. Threads that sleep are called for it where that is long, or where runs follow
  // one another so closely that they will stay awake: to wake one takes some 20 microseconds of the caller's time.
  void expect(double nanoseconds);

  // Calls body(part, thread) once for every part in [0, parts), thread in [0, threads()). One job at a time. Where bodies throw, the
  // exception of the smallest part that threw is thrown here, after all parts.
  template <typename Body>
  void run(std::int64_t parts, const Body& body) {
    run({[](const void* b, std::int64_t part, int thread) { (*static_cast<const Body*>(b))(part, thread); }, &body, parts});
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    void (*call)(const void*, std::int64_t, int) = nullptr;
    const void* body = nullptr;
    std::int64_t parts = 0;
  };

  void run(const Job& job);
  void share();
  // Does one part, if one is left.
  bool do_one(int thread);
  void do_part(std::int64_t part, int thread);
  void work(int thread);
  // Spinning beside the caller would take its core.
  bool is_beside_caller() const;
  void sleep();
  void wait_for_others();
  bool is_resting() const { return Clock::now() < rest_until_; }
  void rest_after(Clock::duration waited, Clock::duration own_part);

  Job job_;
  alignas(64) std::atomic<std::int64_t> left_ = 0;  // parts that nobody has claimed
  alignas(64) std::atomic<std::int64_t> done_ = 0;
  std::atomic<int> caller_core_ = -1;
  std::atomic<bool> is_crowded_ = false;  // a thread found itself on the caller's core
  std::atomic<int> sleepers_ = 0;
  std::size_t begun_ = 0;  // threads
  std::atomic<bool> caller_sleeps_ = false;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::condition_variable job_is_there_;
  std::condition_variable job_is_done_;
  bool wakes_sleepers_ = true;
  Clock::time_point last_end_ = {};
  Clock::time_point last_call_ = {};  // of threads that slept
  std::exception_ptr failure_;
  std::int64_t failed_part_ = 0;
  Clock::time_point rest_until_ = {};
  Clock::duration rest_ = {};
  std::vector<std::jthread> workers_;
};

}  // namespace halftone::engine
