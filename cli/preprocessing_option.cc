#include "cli/preprocessing_option.h"

#include <nlohmann/json.hpp>
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

std::string formulas() {
  std::string text;
  for (std::string_view name : data::preset_names())
    text += (text.empty() ? "" : "; ") + data::describe(data::preset(name));
  return text;
}

// The first of `models` whose file says how pixels are prepared, if any does.
const ModelFile* first_that_says(const std::vector<const ModelFile*>& models) {
  const auto says = std::ranges::find_if(models, [](const ModelFile* m) { return m->preprocessing.has_value(); });
  return says == models.end() ? nullptr : *says;
}

}  // namespace

std::string describe(const Preparation& preparation) {
  return fmt::format("pixels prepared as {} ({})", data::describe(preparation.preprocessing), preparation.from);
}

nlohmann::json to_json(const Preparation& preparation) {
  return {{"preset", preparation.preprocessing.name},
          {"formula", data::describe(preparation.preprocessing)},
          {"from", preparation.from}};
}

void PreprocessingOption::add_to(Command command) {
  const Option named = command.add_option(
      "--preset", preset,
      "How a pixel p (0 to 255) becomes a number (default: as the model's file says, else the data set's usual preset). " +
          formulas());
  const auto add = [&](const char* name, std::string& value, const char* text) {
    command.add_option(name, value, text).excludes(named);
  };
  add("--mean", mean,
      "Pixels become (pixel / SCALE - MEAN) / STD: one mean, or one a channel, 0.485,0.456,0.406");
  add("--std", std, "Deviations, as --mean");
  add("--scale", scale, "What pixels are divided by first, such as 255");
  command.add_flag("--override-preprocessing", overrides,
                   "Prepare pixels and labels as the options say, although the model's file says otherwise");
}

data::Preprocessing PreprocessingOption::asked() const {
  if (!preset.empty()) return data::preset(preset);
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

Preparation PreprocessingOption::choose(const std::vector<const ModelFile*>& models,
                                        const std::string& dataset_name) const {
  const ModelFile* first = first_that_says(models);
  if (given()) {
    const Preparation typed{asked(), preset.empty() ? "--mean, --std and --scale" : "--preset"};
    for (const ModelFile* model : models)
      if (!overrides && model->preprocessing && !data::same_numbers(*model->preprocessing, typed.preprocessing))
        throw UsageError(typed.from, fmt::format("pixels of '{}', got {}, expected {} as its file says, or "
                                                 "--override-preprocessing",
                                                 model->path, data::describe(typed.preprocessing),
                                                 data::describe(*model->preprocessing)));
    return typed;
  }
  if (first == nullptr) return {data::default_preset(dataset_name), fmt::format("usual for {}", dataset_name)};
  for (const ModelFile* model : models)
    if (model->preprocessing && !data::same_numbers(*model->preprocessing, *first->preprocessing))
      throw UsageError("preprocessing",
                       fmt::format("'{}' says {}, '{}' says {}, expected one for all: take them apart, or give --preset "
                                   "with --override-preprocessing",
                                   first->path, data::describe(*first->preprocessing), model->path,
                                   data::describe(*model->preprocessing)));
  return {*first->preprocessing, first->path};
}

}  // namespace halftone::cli
