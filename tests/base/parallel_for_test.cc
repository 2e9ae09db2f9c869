#include "halftone/base/parallel_for.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace halftone {
namespace {

TEST(ParallelFor, CallsEveryIndexOnce) {
  for (int threads = 1; threads <= 8; ++threads)
    for (std::int64_t count : {0, 1, 2, 3, 7, 8, 9, 31, 33, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
      parallel_for(count, threads, [&](std::int64_t i) { ++calls.at(static_cast<std::size_t>(i)); });
      for (std::size_t i = 0; i < calls.size(); ++i)
        ASSERT_EQ(calls[i].load(), 1) << "index " << i << " of " << count << ", " << threads << " threads";
    }
}

TEST(ParallelFor, CallsNothingForNoIndices) {
  for (int threads : {-1, 0, 1, 4})
    for (std::int64_t count : {0, -1, -1000})
      parallel_for(count, threads, [](std::int64_t) { FAIL() << "called"; });
}

TEST(ParallelFor, FewerThanOneThreadIsOne) {
  for (int threads : {0, -1, -1000}) {
    int calls = 0;
    parallel_for(10, threads, [&](std::int64_t) { ++calls; });
    EXPECT_EQ(calls, 10);
  }
}

TEST(ParallelFor, OneThreadIsTheCallers) {
  parallel_for(5, 1, [caller = std::this_thread::get_id()](std::int64_t) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
  });
}

TEST(ParallelFor, UsesNoMoreThreadsThanAsked) {
  std::mutex mutex;
  std::set<std::thread::id> seen;
  parallel_for(1000, 3, [&](std::int64_t) {
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  EXPECT_LE(seen.size(), 3U);
}

TEST(ParallelFor, TwoThreadsWorkAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  parallel_for(2, 2, [&](std::int64_t) {
    std::unique_lock lock(mutex);
    ++inside;
    changed.notify_all();
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return inside == 2; }));
  });
}

// Indices are begun in order, so whichever thread is slow, the smallest index of those that throw has begun.
RC_GTEST_PROP(ParallelFor, TheSmallestFailingIndexIsReported, ()) {
  const auto count = *rc::gen::inRange<std::int64_t>(1, 40);
  const auto failing = *rc::gen::nonEmpty(
      rc::gen::container<std::set<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, count)));
  const auto threads = *rc::gen::inRange(1, 9);
  try {
    parallel_for(count, threads, [&](std::int64_t i) {
      if (i % 3 == 0) std::this_thread::yield();
      if (failing.contains(i)) throw std::runtime_error(std::to_string(i));
    });
    RC_FAIL("nothing was thrown");
  } catch (const std::runtime_error& error) {
    RC_ASSERT(std::string(error.what()) == std::to_string(*failing.begin()));
  }
}

TEST(ParallelFor, ALateSmallIndexWinsOverAnEarlyLargeOne) {
  std::atomic<bool> second_has_thrown{false};
  try {
    parallel_for(2, 2, [&](std::int64_t i) {
      if (i == 1) {
        second_has_thrown = true;
        throw 1;
      }
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
      while (!second_has_thrown && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      throw 0;
    });
    FAIL() << "nothing was thrown";
  } catch (int index) {
    EXPECT_EQ(index, 0);
  }
}

TEST(ParallelFor, NoBodyRunsAfterItReturnsAndFewAfterAFailure) {
  std::atomic<int> calls{0};
  EXPECT_THROW(parallel_for(1'000'000, 4,
                            [&](std::int64_t i) {
                              ++calls;
                              if (i == 10) throw std::runtime_error("stop");
                            }),
               std::runtime_error);
  const int after = calls;
  EXPECT_GE(after, 11);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(calls, after);
}

TEST(ParallelFor, CallsNest) {
  std::vector<std::atomic<int>> calls(6 * 7);
  parallel_for(6, 3, [&](std::int64_t i) {
    parallel_for(7, 2, [&](std::int64_t j) { ++calls.at(static_cast<std::size_t>(i * 7 + j)); });
  });
  for (const auto& each : calls) EXPECT_EQ(each.load(), 1);
}

TEST(AvailableThreads, FollowsTheAffinityMask) {
  EXPECT_GE(available_threads(), 1);
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  EXPECT_EQ(available_threads(), CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  const int alone = available_threads();
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
  EXPECT_EQ(alone, 1);
}

}  // namespace
}  // namespace halftone
