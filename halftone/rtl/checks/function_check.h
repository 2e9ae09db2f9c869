// A module that computes a function of its ports, and what it has to compute: numbers through its simulation, each result compared.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "halftone/rtl/simulation.h"

namespace halftone::rtl {

using Random = std::mt19937_64;
// Uniform in [least, most].
std::int64_t between(Random& random, std::int64_t least, std::int64_t most);
// Of `bits` bits: uniform, one of the extremes or next to them, or small, in turns by chance.
std::int64_t signed_number(Random& random, int bits);
std::int64_t unsigned_number(Random& random, int bits);

using Numbers64 = std::vector<std::int64_t>;  // one a port

struct FunctionCheck {
  std::string name;
  FunctionModule module;
  std::function<Numbers64(Random&)> still = [](Random&) { return Numbers64{}; };
  std::function<Numbers64(Random&, const Numbers64& still)> operands;
  // The low bits of each result count.
  std::function<Numbers64(const Numbers64& still, const Numbers64& operands)> results;
};

struct FunctionChecks {
  std::uint64_t compared = 0;
  std::uint64_t different = 0;
  std::string first;  // the first that differs, in words
};

// At least `count` words, with numbers that stay still for a twentieth of them each; every other part with stalls.
FunctionChecks check_function(Simulation& simulation, const FunctionCheck& check, std::uint64_t count, std::uint64_t seed);

// All of the library's functions.
std::vector<FunctionCheck> function_checks();
// One subject each.
std::vector<FunctionCheck> saturator_checks();
std::vector<FunctionCheck> requantizer_checks();
std::vector<FunctionCheck> product_checks();
std::vector<FunctionCheck> add_checks();
std::vector<FunctionCheck> float_checks();

}  // namespace halftone::rtl
