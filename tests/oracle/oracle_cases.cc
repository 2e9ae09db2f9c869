// oracle_cases --count N --seed S -o FILE.npz: N random layers with what the C++ computed for them
// (CASES.md).
#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/data/npz.h"
#include "tests/oracle/case_arrays.h"

namespace {

struct Arguments {
  std::int64_t count = 1000;
  std::uint64_t seed = 1;
  std::string output = "oracle_cases.npz";
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view value = argv[i + 1];
    if (std::strcmp(argv[i], "--count") == 0) std::from_chars(value.begin(), value.end(), arguments.count);
    if (std::strcmp(argv[i], "--seed") == 0) std::from_chars(value.begin(), value.end(), arguments.seed);
    if (std::strcmp(argv[i], "-o") == 0) arguments.output = value;
  }
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace halftone;
  const Arguments arguments = parse(argc, argv);
  oracle::Random random(arguments.seed);
  data::NamedTensors entries;
  nlohmann::json cases = nlohmann::json::array();
  std::int64_t refused = 0;
  while (static_cast<std::int64_t>(cases.size()) < arguments.count) {
    const auto id = static_cast<std::int64_t>(cases.size());
    const oracle::Case c = oracle::random_case(random);
    try {
      for (auto& [name, tensor] : oracle::compute(c))
        entries.emplace_back(fmt::format("{}.{}", id, name), tensor);
    } catch (const InputError&) {
      ++refused;  // the arithmetic refuses it by name; another is drawn
      continue;
    }
    cases.push_back(c.json(id));
  }
  const std::string text = cases.dump();
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  entries.emplace_back("cases", Tensor::from<std::uint8_t>({static_cast<std::int64_t>(bytes.size())}, bytes));
  data::write_npz(arguments.output, entries);
  fmt::print("{} cases, {} drawn layers refused\n", cases.size(), refused);
}
