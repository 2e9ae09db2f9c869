#include "cli/preprocessing_option.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "halftone/base/error.h"

namespace halftone::cli {
namespace {

std::vector<float> parse_numbers(const char* option, const std::string& text) {
  std::vector<float> numbers;
  for (std::size_t begin = text.find_first_not_of(' '); begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    float number = 0.0F;
    const auto [stop, error] = std::from_chars(text.data() + begin, text.data() + end, number);
    if (error != std::errc() || stop != text.data() + end)
      throw UsageError(option, fmt::format("got '{}', expected numbers between commas", text));
    numbers.push_back(number);
    begin = end + 1;
  }
  return numbers;
}

// One number for all channels where the other list has one a channel.
void widen(std::vector<float>& numbers, std::size_t count) {
  if (numbers.size() == 1) numbers.resize(count, numbers[0]);
}

}  // namespace

void PreprocessingOption::add_to(CLI::App& command) {
  auto* named =
      command.add_option("--preset", preset,
                         "How pixels become numbers: raw, mnist, cifar10, imagenet or tf (otherwise the "
                         "model's own, or the data set's usual one)");
  const auto add = [&](const char* name, std::string& value, const char* text) {
    command.add_option(name, value, text)->excludes(named);
  };
  add("--mean", mean,
      "Pixels become (pixel / SCALE - MEAN) / STD: one mean, or one a channel, 0.485,0.456,0.406");
  add("--std", std, "Deviations, as --mean");
  add("--scale", scale, "What pixels are divided by first, such as 255");
}

data::Preprocessing PreprocessingOption::choose(const ModelFile& model,
                                                const std::string& dataset_name) const {
  if (!given() || !preset.empty()) return choose_preprocessing(model, preset, dataset_name);
  data::Preprocessing result{.name = "custom"};
  if (!mean.empty()) result.mean = parse_numbers("--mean", mean);
  if (!std.empty()) result.std = parse_numbers("--std", std);
  if (!scale.empty()) {
    const std::vector<float> divisor = parse_numbers("--scale", scale);
    if (divisor.size() != 1) throw UsageError("--scale", fmt::format("got '{}', expected one number", scale));
    result.divisor = divisor[0];
  }
  widen(result.mean, result.std.size());
  widen(result.std, result.mean.size());
  data::encode(result);  // refuses what breaks its rules
  return result;
}

}  // namespace halftone::cli
