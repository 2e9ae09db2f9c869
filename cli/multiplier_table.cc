#include "cli/multiplier_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/outcome.h"
#include "halftone/report/table.h"

namespace halftone::cli {
namespace {

using Json = nlohmann::json;

std::string number_text(const Json& number) { return number.is_number_float() ? fmt::format("{:.6g}", number.get<double>()) : number.dump(); }

// "0.5 .. 0.97", or the number where all are the same.
std::string range_text(const Json& numbers) {
  if (!numbers.is_array() || numbers.empty()) return "";
  const auto [least, largest] = std::ranges::minmax_element(numbers);
  const std::string lo = number_text(*least);
  const std::string hi = number_text(*largest);
  return lo == hi ? lo : lo + " .. " + hi;
}

// "-" where some scale is no power of two.
std::string lengths_text(const Json& lengths) {
  if (lengths.empty() || std::ranges::any_of(lengths, [](const Json& each) { return each.is_null(); })) return "-";
  return range_text(lengths);
}

Json lengths_of(const Json& values) {
  Json lengths = Json::array();
  for (const Json& value : values) lengths.push_back(value.value("fraction_length", Json()));
  return lengths;
}

// "128 by channel".
std::string count_text(const Json& multipliers) {
  const std::string by = multipliers["by"];
  return by == "tensor" ? "1" : fmt::format("{} by {}", multipliers["M"].size(), by);
}

}  // namespace

void print_multipliers(const Json& inspected) {
  report::Table table({{"layer"}, {"op"}, {"factors"}, {"M"}, {"M0"}, {"n"}, {"m"}, {"shift"}, {"weight scales"}, {"fl in"}, {"fl weights"}, {"fl out"}});
  for (const Json& layer : inspected["layers"]) {
    if (!layer.contains("multipliers")) continue;
    const Json& m = layer["multipliers"];
    const Json weights = layer.value("weights", Json::object());
    table.add_row({layer["name"], layer["op"], count_text(m), range_text(m["M"]), range_text(m["M0"]), range_text(m["n"]), range_text(m["m"]),
                   range_text(m["shift"]), range_text(weights.value("scales", Json())), lengths_text(lengths_of(layer["inputs"])),
                   weights.empty() ? "" : lengths_text(weights["fraction_lengths"]), lengths_text(Json::array({layer["fraction_length"]}))});
  }
  print_line("integers: {}", inspected["arithmetic"].get<std::string>());
  fmt::print("{}", table.text());
  print_line("M = M0*2^-n, m*2^-shift stands for it; fl: a scale is 2^-fl, -: it is no power of two");
}

}  // namespace halftone::cli
