// Multipliers of processing elements, and the product that is cut into parts.
#include <fmt/format.h>

#include <bit>

#include "halftone/rtl/checks/function_check.h"

namespace halftone::rtl {
namespace {

FunctionCheck split_product(int a, int b, int a_part, int b_part) {
  return {.name = fmt::format("SplitProduct {} x {} by {} and {}", a, b, a_part, b_part),
          .module = {.module = "SplitProduct",
                     .parameters = fmt::format("#(.A_WIDTH({}), .B_WIDTH({}), .A_PART({}), .B_PART({}))", a, b, a_part, b_part),
                     .operands = {{"a_i", a}, {"b_i", b}},
                     .still = {},
                     .results = {{"product_o", a + b}},
                     .latency = 2,
                     .has_enable = true},
          .operands = [=](Random& random, const Numbers64&) { return Numbers64{signed_number(random, a), unsigned_number(random, b)}; },
          .results = [](const Numbers64&, const Numbers64& x) { return Numbers64{x[0] * x[1]}; }};
}

FunctionCheck dot(const std::string& module, int bits, int width, int latency) {
  return {.name = fmt::format("{} {}", module, bits),
          .module = {.module = module,
                     .parameters = bits == 1 || bits == 8 ? "" : fmt::format("#(.BITS({}))", bits),
                     .operands = {{"a_i", 8}, {"b_i", 8}},
                     .still = {},
                     .results = {{"sum_o", width}},
                     .latency = latency},
          .operands = [](Random& random, const Numbers64&) { return Numbers64{between(random, 0, 255), between(random, 0, 255)}; },
          .results =
              [bits](const Numbers64&, const Numbers64& x) {
                const auto a = static_cast<std::uint64_t>(x[0]), b = static_cast<std::uint64_t>(x[1]);
                if (bits == 1) return Numbers64{8 - std::popcount((a ^ b) & 0xffU)};
                std::int64_t sum = 0;
                for (int at = 0; at < 8; at += bits) sum += sign_extended(a >> at, bits) * sign_extended(b >> at, bits);
                return Numbers64{sum};
              }};
}

}  // namespace

std::vector<FunctionCheck> product_checks() {
  return {split_product(24, 15, 24, 17), split_product(32, 31, 24, 17), split_product(24, 15, 17, 17), split_product(13, 11, 4, 3),
          dot("Product", 8, 16, 1),      dot("NarrowDot", 4, 9, 2),     dot("NarrowDot", 2, 6, 2),     dot("BinaryDot", 1, 4, 1)};
}

}  // namespace halftone::rtl
