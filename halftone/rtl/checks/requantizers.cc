// From sums to output integers: numeric::requantize_fixed.
#include <fmt/format.h>

#include "halftone/numeric/requantize.h"
#include "halftone/rtl/checks/function_check.h"

namespace halftone::rtl {
namespace {

using numeric::Rounding;

constexpr Rounding kRoundings[] = {Rounding::half_even, Rounding::half_away, Rounding::half_up};

// A zero point and bounds of signed or unsigned 8 bits, at times those of ReLU.
Numbers64 output_bounds(Random& random) {
  const std::int64_t least = between(random, 0, 1) == 0 ? -128 : 0;
  const std::int64_t zero_point = between(random, least, least + 255);
  return {zero_point, between(random, 0, 1) == 0 ? zero_point : least, least + 255 - (between(random, 0, 3) == 0 ? between(random, 0, 255 - (zero_point - least)) : 0)};
}

FunctionCheck requantizer(int acc_width, int mantissa, int left, std::size_t rounding) {
  const int most_shift = acc_width + mantissa - 1 + left;
  return {.name = fmt::format("Requantizer {} x {}, {} left, {}", acc_width, mantissa, left, numeric::name_of(kRoundings[rounding])),
          .module = {.module = "Requantizer",
                     .parameters = fmt::format("#(.ACC_WIDTH({}), .MANTISSA({}), .LEFT({}), .ROUNDING({}))", acc_width, mantissa, left, rounding),
                     .operands = {{"acc_i", acc_width}, {"multiplier_i", mantissa - 1}, {"shift_i", 6}},
                     .still = {{"zero_point_i", 9}, {"min_i", 9}, {"max_i", 9}},
                     .results = {{"y_o", 8}},
                     .latency = 8,
                     .has_enable = true},
          .still = output_bounds,
          .operands =
              [=](Random& random, const Numbers64&) {
                Numbers64 x{signed_number(random, acc_width), unsigned_number(random, mantissa - 1), between(random, 0, std::min(most_shift, 63))};
                // Half of them near the output's range, where ties decide: a multiplier of few bits, and a shift that leaves some eight.
                if (between(random, 0, 1) == 0) {
                  x[1] = std::int64_t{1} << between(random, 0, mantissa - 2);
                  while (x[2] > left && x[2] < most_shift && (x[0] * x[1] << left >> x[2]) > 300) ++x[2];
                }
                return x;
              },
          .results =
              [=](const Numbers64& still, const Numbers64& x) {
                const numeric::OutputBounds bounds{static_cast<std::int32_t>(still[0]), static_cast<std::int32_t>(still[1]), static_cast<std::int32_t>(still[2])};
                return Numbers64{numeric::requantize_fixed(x[0], x[1], static_cast<int>(x[2]) - left, bounds, kRoundings[rounding])};
              }};
}

FunctionCheck fixed_point_multiplier(int width) {
  return {.name = fmt::format("FixedPointMultiplier {}", width),
          .module = {.module = "FixedPointMultiplier",
                     .parameters = fmt::format("#(.WIDTH({}))", width),
                     .operands = {{"x_i", width}, {"m0_i", width}},
                     .still = {},
                     .results = {{"y_o", width}}},
          .operands = [width](Random& random, const Numbers64&) { return Numbers64{unsigned_number(random, width), unsigned_number(random, width)}; },
          .results =
              [width](const Numbers64&, const Numbers64& x) {
                return Numbers64{static_cast<std::int64_t>(static_cast<std::uint64_t>(x[0]) * static_cast<std::uint64_t>(x[1]) >> (width - 1))};
              }};
}

}  // namespace

std::vector<FunctionCheck> requantizer_checks() {
  std::vector<FunctionCheck> checks{fixed_point_multiplier(16), fixed_point_multiplier(32)};
  for (std::size_t rounding = 0; rounding < std::size(kRoundings); ++rounding) {
    checks.push_back(requantizer(24, 16, 0, rounding));
    checks.push_back(requantizer(32, 32, 0, rounding));
  }
  checks.push_back(requantizer(20, 8, 4, 0));
  return checks;
}

}  // namespace halftone::rtl
