#include "cli/dot_product_rate.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <numeric>
#include <system_error>
#include <thread>
#include <vector>

#include "halftone/base/parallel_for.h"
#include "halftone/kernels/ceiling.h"

namespace halftone::cli {
namespace {

double rate_of_this_core() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const std::int64_t done = kernels::run_dot_products(kernels::best_isa());
  return static_cast<double>(done) / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

double dot_product_rate(int threads) {
  const int cores = std::min(threads, available_threads());
  if (cores == 1) return rate_of_this_core();
  std::vector<double> rates(static_cast<std::size_t>(cores));
  std::atomic<bool> go = false;  // fewer than all may come: nobody waits for the others
  {
    std::vector<std::jthread> others;
    try {
      for (double& rate : rates)
        others.emplace_back([&] {
          go.wait(false);
          rate = rate_of_this_core();
        });
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
    }
    go = true;
    go.notify_all();
  }
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

}  // namespace halftone::cli
