#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/commands.h"
#include "halftone/numeric/number_format.h"
#include "halftone/base/error.h"

namespace halftone::cli {
namespace {

struct Options {
  std::vector<std::string> words;
  std::vector<std::string> formats;
  bool json = false;
};

struct Expression {
  std::vector<double> operands;
  char sign = 0;  // '+', '*', or 0 for one number
};

double parse_real(const std::string& word) {
  double value = 0.0;
  const char* begin = word.c_str() + (word.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, word.data() + word.size(), value);
  if (error == std::errc::result_out_of_range)
    throw UsageError("number", fmt::format("got '{}', expected a double", word));
  if (error != std::errc() || end != word.data() + word.size())
    throw UsageError("number", fmt::format("got '{}', expected a number", word));
  return value;
}

// "3.324", "a + b" or "a * b", in one word or several.
Expression parse_expression(const std::vector<std::string>& words) {
  std::stringstream text;
  for (const std::string& word : words) text << word << ' ';
  std::vector<std::string> parts;
  for (std::string part; text >> part;) parts.push_back(part);
  if (parts.size() == 1) return {{parse_real(parts[0])}, 0};
  if (parts.size() == 3 && (parts[1] == "+" || parts[1] == "*" || parts[1] == "x"))
    return {{parse_real(parts[0]), parse_real(parts[2])}, parts[1] == "+" ? '+' : '*'};
  throw UsageError("number", "expected a number, 'a + b' or 'a * b' (quote the '*')");
}

double combine(const Expression& expression, const std::vector<double>& v) {
  return expression.sign == '+' ? v[0] + v[1] : v[0] * v[1];
}

nlohmann::json to_json(const std::string& format, double real, const numeric::Rendered& r) {
  nlohmann::json out{{"format", format},   {"real", real}, {"integer", r.q},
                     {"binary", r.binary}, {"hex", r.hex}, {"saturated", r.saturated}};
  out["value"] =
      std::isfinite(r.value) ? nlohmann::json(r.value) : nlohmann::json(fmt::format("{}", r.value));
  out["error"] = std::isfinite(r.value) ? nlohmann::json(r.value - real) : nlohmann::json();
  return out;
}

void print_rendered(const std::string& title, const std::string& format, double real, const numeric::Rendered& r) {
  print_line("{}{} in {}", title, real, format);
  print_line("  integer  {}", r.q);
  print_line("  binary   {}", r.binary);
  print_line("  hex      {}", r.hex);
  print_line("  value    {}", r.value);
  print_line("  error    {}{}", r.value - real,
             r.saturated ? "  (saturated: outside the format's range)" : "");
}

int number(const Options& options) {
  const Expression expression = parse_expression(options.words);
  const std::size_t operands = expression.operands.size();
  if (options.formats.size() > (operands == 1 ? 1 : 3))
    throw UsageError("--format", fmt::format("given {} times, expected {}", options.formats.size(),
                                             operands == 1 ? "once" : "one to three times: a, b, result"));
  const auto format_of = [&](std::size_t i) {
    return options.formats[i < options.formats.size() ? i : i == 2 ? 0 : options.formats.size() - 1];
  };
  if (operands == 2 && std::isnan(combine(expression, expression.operands)))
    throw UsageError("number", "not a number (NaN), expected a real result");
  nlohmann::json out;
  std::vector<double> stored;
  for (std::size_t i = 0; i < operands; ++i) {
    const numeric::Rendered r = numeric::render(expression.operands[i], numeric::parse_number_format(format_of(i)));
    stored.push_back(r.value);
    out["numbers"].push_back(to_json(format_of(i), expression.operands[i], r));
    if (!options.json) print_rendered("", format_of(i), expression.operands[i], r);
  }
  if (operands == 2) {
    const double exact = combine(expression, expression.operands);
    const double of_stored = combine(expression, stored);
    const numeric::Rendered r = numeric::render(of_stored, numeric::parse_number_format(format_of(2)));
    out["result"] = to_json(format_of(2), of_stored, r);
    out["exact"] = exact;
    out["lost"] = {
        {"operands", of_stored - exact}, {"result", r.value - of_stored}, {"total", r.value - exact}};
    if (!options.json) {
      print_rendered(fmt::format("a {} b = ", expression.sign), format_of(2), of_stored, r);
      print_line("exact {}; lost by storing a and b {}, by storing the result {}, in all {}", exact,
                 of_stored - exact, r.value - of_stored, r.value - exact);
    }
  }
  if (options.json) print_json(operands == 1 ? out["numbers"][0] : out);
  return kYes;
}

}  // namespace

void add_number(Command app, Run& run) {
  auto options = std::make_shared<Options>();
  const Command command =
      app.add_command("number", "A real value in any format: integer, binary with point, hex, error");
  command.footer(
      "Examples: halftone number 3.324 --format fixed:8:4\n"
      "          halftone number -1.5 --format int8:0.05:3\n"
      "          halftone number '3.324 * 0.7' --format fixed:8:4 --format fixed:8:6 --format fixed:8:5");
  command.add_option("value", options->words, "A number, 'a + b' or 'a * b'").required();
  command.add_option("--format", options->formats,
                   "fixed:WL:FL, intB[:scale[:zero_point]], uintB[...], fp16, bf16, fp8e4m3, fp8e5m2; "
                   "of a, b and the result when given up to three times")
      .required()
      .take_all()
      .expected(1)
      .one_value_each();
  command.add_flag("--json", options->json, "Print JSON");
  command.when_chosen([options, &run] { run = [options] { return number(*options); }; });
}

}  // namespace halftone::cli
