#include "halftone/rtl/single_multiplier.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <random>

#include "halftone/base/error.h"
#include "halftone/rtl/float32.h"

namespace halftone::rtl {
namespace {

constexpr int kStallPercent = 30;

int a_width(const SingleMultiplier& design) { return design.floats >= 1 ? 32 : 8; }
int b_width(const SingleMultiplier& design) { return design.floats >= 2 ? 32 : 8; }
std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }
std::int32_t byte_of(std::uint32_t bits) { return static_cast<std::int8_t>(bits); }

Words words_of(const std::vector<std::uint32_t>& values, int width) {
  Words words(width);
  for (std::uint32_t value : values) words.put(words.add(), 0, width, value);
  return words;
}

std::uint32_t integer_sum(const SingleMultiplier& design, const std::uint32_t* a, const std::uint32_t* b) {
  std::int16_t sum = 0;
  for (std::int64_t k = 0; k < design.shape.depth; ++k) sum = static_cast<std::int16_t>(sum + byte_of(a[k]) * byte_of(b[k * design.shape.cols]));
  return static_cast<std::uint8_t>(design.clamp ? std::clamp<int>(sum, -128, 127) : sum);
}

std::uint32_t float_sum_of(const SingleMultiplier& design, const std::uint32_t* a, const std::uint32_t* b) {
  std::uint32_t sum = 0;
  for (std::int64_t k = 0; k < design.shape.depth; ++k) {
    const std::uint32_t factor = b[k * design.shape.cols];
    sum = float_sum(sum, float_product(a[k], design.floats == 2 ? factor : float_of(byte_of(factor))));
  }
  return sum;
}

// Numbers as networks have them, and now and then extreme ones.
std::uint32_t operand(std::mt19937_64& random, bool is_float) {
  if (!is_float) return static_cast<std::uint8_t>(random() % 8 == 0 ? (random() % 2 == 0 ? -128 : 127) : random());
  if (random() % 64 == 0) return static_cast<std::uint32_t>(random()) & 0xbfffffff;  // up to 2: no sum becomes infinite
  return std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<double>(random() % 2000001) / 1e6 - 1.0));
}

}  // namespace

Top top_of(const SingleMultiplier& design) {
  const auto fits = [](std::int64_t size) { return size >= 2 && std::has_single_bit(static_cast<std::uint64_t>(size)); };
  const ProductShape& shape = design.shape;
  if (!fits(shape.rows) || !fits(shape.depth) || !fits(shape.cols) || (design.floats > 0 && shape.cols % 4 != 0))
    throw UsageError("rtl", fmt::format("one multiplier, got {}x{}x{}, expected powers of two{}", shape.rows, shape.depth, shape.cols,
                                        design.floats > 0 ? ", and 4 columns at least" : ""));
  const std::string body =
      fmt::format("  SingleMultiplier #(.ROWS({}), .DEPTH({}), .COLS({}), .FLOATS({}), .CLAMP(1'b{})) u_multiplier (.*);", shape.rows, shape.depth, shape.cols,
                  design.floats, design.clamp ? 1 : 0);
  return top_around({}, {a_width(design), b_width(design)}, a_width(design), body);
}

std::int64_t cycles_of(const SingleMultiplier& design) {
  constexpr int kPipeline[] = {6, 13, 12};
  const auto [rows, depth, cols] = design.shape;
  return std::max(rows * depth, depth * cols) + rows * depth * cols + rows * cols + kPipeline[design.floats];
}

Job job_of(const SingleMultiplier& design, const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  Job job{.config = Words(1), .in = {words_of(a, a_width(design)), words_of(b, b_width(design))}};
  job.config.add();
  job.results = at(design.shape.rows * design.shape.cols);
  return job;
}

std::vector<std::uint32_t> expected_results(const SingleMultiplier& design, const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  std::vector<std::uint32_t> c;
  for (std::int64_t i = 0; i < design.shape.rows; ++i)
    for (std::int64_t j = 0; j < design.shape.cols; ++j)
      c.push_back((design.floats == 0 ? integer_sum : float_sum_of)(design, a.data() + i * design.shape.depth, b.data() + j));
  return c;
}

SingleMultiplierChecks check_single_multiplier(Simulation& simulation, const SingleMultiplier& design, int products, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  SingleMultiplierChecks checks;
  for (int product = 0; product < products; ++product) {
    std::vector<std::uint32_t> a(at(design.shape.rows * design.shape.depth)), b(at(design.shape.depth * design.shape.cols));
    for (std::uint32_t& x : a) x = operand(random, design.floats >= 1);
    for (std::uint32_t& x : b) x = operand(random, design.floats >= 2);
    Job job = job_of(design, a, b);
    job.seed = static_cast<std::uint32_t>(seed) + static_cast<std::uint32_t>(product);
    if (product > 0) job.stalls = {{kStallPercent, kStallPercent}, kStallPercent};
    const Outcome outcome = simulation.run(job);
    if (product == 0) checks.cycles = static_cast<std::int64_t>(outcome.cycles);
    const std::vector<std::uint32_t> expected = expected_results(design, a, b);
    for (std::size_t i = 0; i < expected.size(); ++i) checks.different += outcome.out.get(i, 0, a_width(design)) != expected[i];
    checks.outputs += expected.size();
  }
  return checks;
}

}  // namespace halftone::rtl
