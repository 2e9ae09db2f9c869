// A run takes no memory: all of it is the context's.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "halftone/engine/program.h"
#include "halftone/lower/lower.h"
#include "halftone/quant/quantize.h"
#include "tests/quant/network.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<int> allocations{0};

}  // namespace

// GCC sees malloc in here and free in the sanitizers' delete: neither is replaced there.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void* operator new(std::size_t size) {
  if (counting) ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace halftone::engine {
namespace {

void expect_no_memory(const Program& program, int threads) {
  Program::Context context(program, threads);
  const Tensor x = ir::random_floats({3, 1, 4, 4}, 5);
  std::vector<std::byte> y(3 * program.outputs().at(0).bytes());
  const std::span<const std::byte> inputs[] = {x.bytes()};
  const std::span<std::byte> outputs[] = {y};
  program.run(context, 3, inputs, outputs);
  counting = true;
  for (int i = 0; i < 10; ++i) program.run(context, 3, inputs, outputs);
  counting = false;
  EXPECT_EQ(allocations, 0);
}

TEST(Allocation, ARunTakesNoMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "skipped: sanitizers have an allocator of their own";
#endif
  const ir::Graph real = quant::conv_network();
  const Program program(lower::lower(quant::quantize(real, quant::ranges_of(real), {}).graph), {.batch = 3, .least_part = 0.0});
  for (int threads : {1, 2}) expect_no_memory(program, threads);
}

}  // namespace
}  // namespace halftone::engine
