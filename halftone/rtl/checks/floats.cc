// FloatMultiplier, FloatAdder and IntToFloat.
#include <bit>

#include "halftone/rtl/checks/function_check.h"
#include "halftone/rtl/float32.h"

namespace halftone::rtl {
namespace {

// Any bits; numbers near each other; ends of the range; few bits of fraction, which make ties.
std::int64_t float_bits(Random& random) {
  const auto sign = static_cast<std::uint32_t>(between(random, 0, 1)) << 31;
  const auto fraction = static_cast<std::uint32_t>(between(random, 0, (1 << 23) - 1));
  const auto exponent = [&](std::int64_t least, std::int64_t most) { return static_cast<std::uint32_t>(between(random, least, most)) << 23; };
  switch (between(random, 0, 4)) {
    case 0: return static_cast<std::uint32_t>(random());
    case 1: return sign | exponent(120, 134) | fraction;
    case 2: return sign | exponent(between(random, 0, 1) == 0 ? 0 : 250, between(random, 0, 1) == 0 ? 2 : 255) % 0x7f800001 | (between(random, 0, 2) == 0 ? 0 : fraction);
    case 3: return sign | exponent(60, 68) | fraction;
    default: return sign | exponent(115, 139) | static_cast<std::uint32_t>(between(random, 0, 7)) << between(random, 0, 20);
  }
}

FunctionCheck of_two(const std::string& module, const std::string& result, std::uint32_t (*function)(std::uint32_t, std::uint32_t)) {
  return {.name = module,
          .module = {.module = module, .parameters = "", .operands = {{"a_i", 32}, {"b_i", 32}}, .still = {}, .results = {{result, 32}}, .latency = 4},
          .operands =
              [](Random& random, const Numbers64&) {
                const std::int64_t a = float_bits(random);
                // Now and then two of nearly the same magnitude.
                return Numbers64{a, between(random, 0, 7) == 0 ? (a ^ (between(random, 0, 1) << 31)) + between(random, -2, 2) : float_bits(random)};
              },
          .results =
              [function](const Numbers64&, const Numbers64& x) { return Numbers64{function(static_cast<std::uint32_t>(x[0]), static_cast<std::uint32_t>(x[1]))}; }};
}

}  // namespace

std::vector<FunctionCheck> float_checks() {
  return {of_two("FloatMultiplier", "product_o", float_product), of_two("FloatAdder", "sum_o", float_sum),
          {.name = "IntToFloat",
           .module = {.module = "IntToFloat", .parameters = "#(.WIDTH(8))", .operands = {{"int_i", 8}}, .still = {}, .results = {{"float_o", 32}}, .latency = 1},
           .operands = [](Random& random, const Numbers64&) { return Numbers64{signed_number(random, 8)}; },
           .results = [](const Numbers64&, const Numbers64& x) { return Numbers64{float_of(static_cast<std::int32_t>(x[0]))}; }}};
}

}  // namespace halftone::rtl
