#include "halftone/testbench/c_header.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

namespace halftone::testbench {
namespace {

constexpr std::size_t kLineLength = 120;

std::string type_of(const IntegerArray& array) { return fmt::format("{}int{}_t", array.is_signed ? "" : "u", held_bits(array.bits)); }

// The least int64 has no literal of its own; the most negative number here is far from it.
void write_numbers(std::string& out, const std::vector<std::int64_t>& values) {
  std::size_t line = out.size();
  for (std::int64_t value : values) {
    fmt::format_to(std::back_inserter(out), "{},", value);
    if (out.size() - line <= kLineLength) continue;
    out += '\n';
    line = out.size();
  }
}

}  // namespace

bool CHeader::add(std::string_view name, const IntegerArray& array) {
  const auto count = static_cast<std::int64_t>(array.values.size());
  if (count > kMostInHeader || count == 0) return false;
  fmt::format_to(std::back_inserter(body_), "\n/* shape {}, {} bits */\nstatic const {} {}[{}] = {{\n",
                 array.shape.empty() ? "1" : fmt::format("{}", fmt::join(array.shape, "x")), array.bits, type_of(array), name, count);
  write_numbers(body_, array.values);
  body_ += "\n};\n";
  arrays_.emplace(name);
  return true;
}

bool CHeader::alias(std::string_view name, std::string_view array) {
  if (!arrays_.contains(array)) return false;
  fmt::format_to(std::back_inserter(body_), "\n#define {} {}\n", name, array);
  return true;
}

void CHeader::add(std::string_view name, std::int64_t number) {
  fmt::format_to(std::back_inserter(body_), "static const int32_t {} = {};\n", name, number);
}

std::string CHeader::text(std::int64_t samples) const {
  return fmt::format("/* Integers of a network, layer by layer, for {0} samples: see manifest.json. Arrays of more than {1} integers are\n"
                     "   left to the .npy and .mem files. */\n"
                     "#ifndef HALFTONE_TESTBENCH_H\n#define HALFTONE_TESTBENCH_H\n\n#include <stdint.h>\n\n"
                     "#if defined(__GNUC__)\n#pragma GCC diagnostic push\n#pragma GCC diagnostic ignored \"-Wunused-const-variable\"\n#endif\n\n"
                     "#define HALFTONE_TESTBENCH_SAMPLES {0}\n{2}\n"
                     "#if defined(__GNUC__)\n#pragma GCC diagnostic pop\n#endif\n\n#endif\n",
                     samples, kMostInHeader, body_);
}

}  // namespace halftone::testbench
