#include "halftone/base/address_space.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <new>
#include <vector>

#include "halftone/base/parallel_for.h"
#include "halftone/base/tensor.h"

namespace halftone {
namespace {

// Sanitizers map terabytes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

void limit_to(std::size_t bytes) {
  const rlimit limit{bytes, bytes};
  if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(9);
}

void allow_no_threads() {
  if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(9);  // the limit does not bind root
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_NPROC, &none) != 0) ::_exit(9);
}

bool throws_bad_alloc(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

TEST(AddressSpaceDeathTest, UnderALimitTheReserveIsNotTouched) {
  if (kSanitized) GTEST_SKIP() << "skipped: sanitizers map terabytes";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        constexpr std::size_t kLimit = std::size_t{1} << 30;
        limit_to(kLimit);
        const bool right = is_limited() && is_left(kLimit / 2) && !is_left(kLimit - kReserveBytes) && !is_left(~std::size_t{0}) &&
                           throws_bad_alloc([] { Tensor(DType::uint8, {std::int64_t{1} << 30}); }) &&
                           throws_bad_alloc([] { expect_left(kLimit); }) && Tensor(DType::uint8, {1 << 28}).size() == 1 << 28;
        ::_exit(right ? 7 : 8);
      },
      testing::ExitedWithCode(7), "");
}

TEST(AddressSpaceDeathTest, FewerThreadsDoTheSame) {
  if (kSanitized) GTEST_SKIP() << "skipped: sanitizers map terabytes";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        limit_to(std::size_t{200} << 20);
        std::vector<std::atomic<int>> calls(1000);
        parallel_for(1000, 1000, [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i)]; });
        bool once = true;
        for (const auto& count : calls) once = once && count == 1;
        ::_exit(once ? 7 : 8);
      },
      testing::ExitedWithCode(7), "");
}

TEST(AddressSpaceDeathTest, WithoutAThreadToBeHadTheCallersDoesAll) {
  if (kSanitized) GTEST_SKIP() << "skipped: sanitizers start threads of their own";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        allow_no_threads();
        std::int64_t sum = 0;
        parallel_for(100, 8, [&](std::int64_t i) { sum += i; });
        ::_exit(sum == 4950 ? 7 : 8);
      },
      testing::ExitedWithCode(7), "");
}

TEST(AddressSpace, WithoutALimitEverythingIsLeft) {
  if (is_limited()) GTEST_SKIP() << "skipped: there is one";
  EXPECT_TRUE(is_left(~std::size_t{0}));
  EXPECT_NO_THROW(expect_left(~std::size_t{0}));
}

}  // namespace
}  // namespace halftone
