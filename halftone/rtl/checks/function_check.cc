#include "halftone/rtl/checks/function_check.h"

#include <fmt/format.h>

#include <iterator>

namespace halftone::rtl {
namespace {

constexpr std::uint64_t kParts = 20;
constexpr int kStallPercent = 30;

void put_all(const std::vector<Field>& fields, const Numbers64& numbers, Words& words) {
  const std::size_t word = words.add();
  int at = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    words.put(word, at, fields[i].width, numbers[i]);
    at += fields[i].width;
  }
}

std::string text_of(const std::vector<Field>& fields, const Numbers64& numbers) {
  std::string text;
  for (std::size_t i = 0; i < fields.size(); ++i) text += fmt::format("{}{} {}", i == 0 ? "" : ", ", fields[i].name, numbers[i]);
  return text;
}

bool same(const FunctionModule& module, const Words& out, std::size_t word, const Numbers64& expected) {
  int at = 0;
  for (std::size_t i = 0; i < module.results.size(); ++i) {
    const int width = module.results[i].width;
    const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
    if (out.get(word, at, width) != (static_cast<std::uint64_t>(expected[i]) & mask)) return false;
    at += width;
  }
  return true;
}

}  // namespace

std::int64_t between(Random& random, std::int64_t least, std::int64_t most) {
  const std::uint64_t span = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least) + 1;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + (span == 0 ? random() : random() % span));
}

std::int64_t signed_number(Random& random, int bits) {
  const std::int64_t most = static_cast<std::int64_t>((std::uint64_t{1} << (bits - 1)) - 1), least = -most - 1;
  switch (random() % 4) {
    case 0: return between(random, 0, 1) == 0 ? least + between(random, 0, 1) : most - between(random, 0, 1);
    case 1: return sign_extended(static_cast<std::uint64_t>(between(random, least, most) >> between(random, 0, bits - 1)), bits);
    default: return between(random, least, most);
  }
}

std::int64_t unsigned_number(Random& random, int bits) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(signed_number(random, bits)) & ((std::uint64_t{1} << bits) - 1));
}

FunctionChecks check_function(Simulation& simulation, const FunctionCheck& check, std::uint64_t count, std::uint64_t seed) {
  Random random(seed);
  FunctionChecks checks;
  const FunctionModule& module = check.module;
  for (std::uint64_t part = 0; part < kParts; ++part) {
    const Numbers64 still = check.still(random);
    Job job{.config = Words(std::max(1, width_of(module.still))), .in = {Words(width_of(module.operands))}, .seed = static_cast<std::uint32_t>(seed + part)};
    put_all(module.still, still, job.config);
    std::vector<Numbers64> operands;
    for (std::uint64_t i = 0; i < (count + kParts - 1) / kParts; ++i) {
      operands.push_back(check.operands(random, still));
      put_all(module.operands, operands.back(), job.in[0]);
    }
    job.results = operands.size();
    if (part % 2 == 1) job.stalls = {{kStallPercent}, kStallPercent};
    const Outcome outcome = simulation.run(job);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      ++checks.compared;
      const Numbers64 expected = check.results(still, operands[i]);
      if (same(module, outcome.out, i, expected)) continue;
      if (checks.different++ == 0)
        checks.first = fmt::format("{}{}{}: expected {}", text_of(module.still, still), still.empty() ? "" : ", ", text_of(module.operands, operands[i]),
                                   text_of(module.results, expected));
    }
  }
  return checks;
}

std::vector<FunctionCheck> function_checks() {
  std::vector<FunctionCheck> all;
  for (auto* subject : {saturator_checks, requantizer_checks, product_checks, add_checks, float_checks}) {
    std::vector<FunctionCheck> checks = subject();
    all.insert(all.end(), std::make_move_iterator(checks.begin()), std::make_move_iterator(checks.end()));
  }
  return all;
}

}  // namespace halftone::rtl
