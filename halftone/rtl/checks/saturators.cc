// Saturators: clamp(x, MIN, MAX).
#include <fmt/format.h>

#include <algorithm>

#include "halftone/rtl/checks/function_check.h"

namespace halftone::rtl {
namespace {

FunctionCheck saturator(const std::string& module, int in_width, int out_width, std::int64_t least, std::int64_t most, const std::string& parameters) {
  return {.name = fmt::format("{} {} to {}..{}", module, in_width, least, most),
          .module = {.module = module, .parameters = parameters, .operands = {{"in_i", in_width}}, .still = {}, .results = {{"out_o", out_width}}},
          .operands = [in_width, least, most](Random& random, const Numbers64&) {
            if (between(random, 0, 2) > 0) return Numbers64{signed_number(random, in_width)};
            return Numbers64{between(random, 0, 1) == 0 ? least + between(random, -2, 2) : most + between(random, -2, 2)};  // beside a bound
          },
          .results = [least, most](const Numbers64&, const Numbers64& x) { return Numbers64{std::clamp(x[0], least, most)}; }};
}

}  // namespace

std::vector<FunctionCheck> saturator_checks() {
  std::vector<FunctionCheck> checks{saturator("Uint8Saturator", 20, 8, 0, 255, "#(.IN_WIDTH(20))")};
  for (int width : {9, 16, 32})
    checks.push_back(saturator("SignRunSaturator", width, 8, -128, 127, fmt::format("#(.IN_WIDTH({}), .OUT_WIDTH(8))", width)));
  struct Bounds {
    int in_width, out_width;
    std::int64_t least, most;
  };
  for (const Bounds& b : {Bounds{32, 8, 0, 255}, Bounds{32, 8, -128, 127}, Bounds{16, 8, -127, 127}, Bounds{12, 4, -8, 7}, Bounds{24, 8, 5, 200}})
    checks.push_back(saturator("Saturator", b.in_width, b.out_width, b.least, b.most,
                               fmt::format("#(.IN_WIDTH({}), .OUT_WIDTH({}), .MIN({}), .MAX({}))", b.in_width, b.out_width, b.least, b.most)));
  return checks;
}

}  // namespace halftone::rtl
