// ResidualAdd and ShiftRequantizer: docs/arithmetic.md section 7, Add and Sub of mode fixed, and section 6, mode shift.
#include <fmt/format.h>

#include "halftone/numeric/requantize.h"
#include "halftone/rtl/checks/function_check.h"

namespace halftone::rtl {
namespace {

numeric::OutputBounds bounds_from(const Numbers64& still, std::size_t first) {
  return {static_cast<std::int32_t>(still[first]), static_cast<std::int32_t>(still[first + 1]), static_cast<std::int32_t>(still[first + 2])};
}

std::int64_t byte_of_either_sign(Random& random, std::int64_t zero_point_like) {
  return zero_point_like < 0 ? between(random, -128, 127) : between(random, 0, 255);
}

FunctionCheck residual_add(int mantissa, int left, int rounding, numeric::Rounding named) {
  return {.name = fmt::format("ResidualAdd {}, {} left, {}", mantissa, left, numeric::name_of(named)),
          .module = {.module = "ResidualAdd",
                     .parameters = fmt::format("#(.MANTISSA({}), .LEFT({}), .ROUNDING({}))", mantissa, left, rounding),
                     .operands = {{"a_i", 9}, {"b_i", 9}},
                     .still = {{"a_zero_point_i", 9}, {"b_zero_point_i", 9}, {"a_multiplier_i", mantissa - 1}, {"b_multiplier_i", mantissa - 1}, {"subtract_i", 1},
                               {"shift_i", 6}, {"zero_point_i", 9}, {"min_i", 9}, {"max_i", 9}},
                     .results = {{"y_o", 8}},
                     .latency = 9,
                     .has_enable = true},
          .still =
              [=](Random& random) {
                const std::int64_t least = between(random, 0, 1) == 0 ? -128 : 0;
                // A shift that leaves the output's bits, and now and then any.
                const std::int64_t shift = between(random, 0, 9) == 0 ? between(random, 0, std::min(mantissa + 10 + left, 63)) : mantissa - 1 + left + between(random, -1, 3);
                return Numbers64{byte_of_either_sign(random, between(random, -1, 0)), byte_of_either_sign(random, between(random, -1, 0)),
                                 unsigned_number(random, mantissa - 1), unsigned_number(random, mantissa - 1), between(random, 0, 1), shift,
                                 between(random, least, least + 255), least, least + 255};
              },
          .operands = [](Random& random, const Numbers64& still) { return Numbers64{byte_of_either_sign(random, still[0]), byte_of_either_sign(random, still[1])}; },
          .results =
              [=](const Numbers64& s, const Numbers64& x) {
                const std::int64_t b = s[3] * (x[1] - s[1]);
                const std::int64_t sum = s[2] * (x[0] - s[0]) + (s[4] != 0 ? -b : b);
                return Numbers64{numeric::requantize_shift(sum, static_cast<int>(s[5]) - left, bounds_from(s, 6), named)};
              }};
}

FunctionCheck shift_requantizer(int acc_width, int left, int rounding, numeric::Rounding named) {
  return {.name = fmt::format("ShiftRequantizer {}, {} left, {}", acc_width, left, numeric::name_of(named)),
          .module = {.module = "ShiftRequantizer",
                     .parameters = fmt::format("#(.ACC_WIDTH({}), .LEFT({}), .ROUNDING({}))", acc_width, left, rounding),
                     .operands = {{"acc_i", acc_width}, {"shift_i", 6}},
                     .still = {{"zero_point_i", 9}, {"min_i", 9}, {"max_i", 9}},
                     .results = {{"y_o", 8}},
                     .latency = 6,
                     .has_enable = true},
          .still = [](Random& random) { return Numbers64{between(random, -128, 127), -128, 127}; },
          .operands = [=](Random& random, const Numbers64&) { return Numbers64{signed_number(random, acc_width), between(random, 0, acc_width + left)}; },
          .results =
              [=](const Numbers64& s, const Numbers64& x) {
                return Numbers64{numeric::requantize_shift(x[0], static_cast<int>(x[1]) - left, bounds_from(s, 0), named)};
              }};
}

}  // namespace

std::vector<FunctionCheck> add_checks() {
  using numeric::Rounding;
  return {residual_add(16, 0, 0, Rounding::half_even), residual_add(32, 2, 1, Rounding::half_away), residual_add(8, 1, 2, Rounding::half_up),
          shift_requantizer(24, 0, 0, Rounding::half_even), shift_requantizer(18, 3, 1, Rounding::half_away), shift_requantizer(32, 0, 2, Rounding::half_up)};
}

}  // namespace halftone::rtl
