#include "cli/dot_product_rate.h"

#include <barrier>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

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
  if (threads == 1) return rate_of_this_core();
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::barrier together(threads);
  {
    std::vector<std::jthread> others;
    for (double& rate : rates)
      others.emplace_back([&] {
        together.arrive_and_wait();
        rate = rate_of_this_core();
      });
  }
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

}  // namespace halftone::cli
