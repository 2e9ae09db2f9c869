#include "halftone/kernels/isa.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "halftone/base/error.h"

namespace halftone::kernels {
namespace {

constexpr std::array kNames = {std::pair(Isa::generic, std::string_view("generic")), std::pair(Isa::avx2, std::string_view("avx2")),
                               std::pair(Isa::avx512_vnni, std::string_view("avx512vnni"))};

}  // namespace

std::string_view name_of(Isa isa) {
  for (const auto& [known, name] : kNames)
    if (known == isa) return name;
  return "?";
}

Isa isa_from(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& [known, its_name] : kNames) {
    if (its_name == name) return known;
    names.push_back(its_name);
  }
  throw UsageError("isa", fmt::format("unknown instruction set, got '{}', expected one of {}", name, fmt::join(names, ", ")));
}

bool is_supported(Isa isa) {
  if (isa == Isa::generic) return true;
#ifdef HALFTONE_X86
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2");
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni") &&
         __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> isas;
  for (const auto& [isa, name] : kNames)
    if (is_supported(isa)) isas.push_back(isa);
  return isas;
}

Isa best_isa() { return supported_isas().back(); }

double multiply_adds_a_nanosecond(Isa isa) {
  switch (isa) {
    case Isa::generic:
      return 4.0;
    case Isa::avx2:
      return 60.0;
    case Isa::avx512_vnni:
      return 300.0;
  }
  return 1.0;
}

}  // namespace halftone::kernels
