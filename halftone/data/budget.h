// A share of memory for work of several threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace halftone::data {

class Budget {
 public:
  explicit Budget(std::int64_t all) : free_(all) {}

  // A part of it for as long as it lives, waited for when others hold too much; no more than all of it.
  class Share {
   public:
    Share(Budget& budget, std::int64_t amount) : budget_(budget), amount_(amount) {
      std::unique_lock lock(budget_.mutex_);
      budget_.returned_.wait(lock, [&] { return budget_.free_ >= amount_; });
      budget_.free_ -= amount_;
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() {
      {
        const std::lock_guard lock(budget_.mutex_);
        budget_.free_ += amount_;
      }
      budget_.returned_.notify_all();
    }

   private:
    Budget& budget_;
    std::int64_t amount_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::int64_t free_;
};

}  // namespace halftone::data
