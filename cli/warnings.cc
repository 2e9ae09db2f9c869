#include "cli/warnings.h"

#include <nlohmann/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "cli/outcome.h"
#include "cli/reference.h"
#include "halftone/analysis/calibration_doubts.h"
#include "halftone/analysis/lost_parts.h"
#include "halftone/analysis/mixed_samples.h"
#include "halftone/base/error.h"
#include "halftone/base/shown.h"
#include "halftone/base/toml_table.h"
#include "halftone/float_engine/executor.h"

namespace halftone::cli {
namespace {

constexpr std::int64_t kFirstLook = 8;     // samples; many wrong answers among them ask for a closer look
constexpr std::int64_t kCloserLook = 100;
constexpr std::int64_t kLeastSamples = 10;  // to speak of right and wrong at all
constexpr std::int64_t kRangeSamples = 64;
constexpr double kFarOutside = 0.01;  // part of the numbers that lie a whole range or more beyond it
constexpr double kMostExcess = 0.05;  // of the range, on average: clipped ranges come to 0.02
constexpr double kLittleUsed = 1.0 / 16;
constexpr int kMoreBits = 16;

std::string options_for(const analysis::PreparationTrial& trial, const analysis::PreparationTrial& now,
                        const ModelFile& model) {
  std::string options;
  const bool pixels = !data::same_numbers(trial.preprocessing, now.preprocessing);
  if (pixels) options += fmt::format(" --preset {}", trial.preprocessing.name);
  if (trial.label_offset != now.label_offset) options += fmt::format(" --label-offset {}", trial.label_offset);
  if ((pixels && model.preprocessing) || (trial.label_offset != now.label_offset && model.label_offset))
    options += " --override-preprocessing";
  return options.substr(1);
}

// Few right answers of some samples, and what would give more.
std::string near_chance_text(const std::vector<analysis::PreparationTrial>& trials, const ModelFile& model,
                             const calibration::Samples& samples, int classes) {
  const analysis::PreparationTrial& now = trials[0];
  const double chance = 100.0 / classes;
  const double error = std::sqrt(chance * (100.0 - chance) / static_cast<double>(samples.size()));
  std::string text = fmt::format("{:.1f} % right of {} samples is near chance ({:.1f} %), with {}", now.percent,
                                 samples.size(), chance, preparation_text(samples));
  if (const auto* better = analysis::far_better(trials, classes))
    return text + fmt::format(": {} gives {:.1f} %", options_for(*better, now, model), better->percent);
  if (now.percent > chance + 3.0 * error) return "";
  return text + ", and no preset gives much more: are labels, order of channels and training as they should be?";
}

// Samples that change each other's answers in one batch, with the shape that runs them one by one where the batch is open.
Warnings mixing_warnings(const ModelFile& model, const calibration::Samples& samples, const DataOptions& data) {
  const auto mixed = analysis::mixed_samples(*executor_of(model), samples, batches_of(samples, data.thread_count()));
  if (!mixed) return {};
  const ir::Value& input = model.graph.value(model.graph.inputs.at(0));
  Shape alone = input.shape;
  const bool open = !alone.empty() && alone[0] == kDynamic;
  if (open) alone[0] = 1;
  const std::string remedy = open && is_static(alone) ? fmt::format("--shape {}={} runs each by itself", input.name, to_string(alone))
                                                      : fmt::format("an input '{}' of one sample would not", input.name);
  return {fmt::format("[{}] samples of one batch change each other: '{}' of sample {} differs by {:.3g} from what it is alone, and is "
                      "at most {:.3g}; {}",
                      model.path, model.output_names().at(mixed->output), mixed->sample, mixed->change, mixed->largest, remedy)};
}

std::string lost_part_text(const analysis::LostPart& part) {
  const std::string what = part.part.empty()
                               ? fmt::format("{} of its {} channels", part.lost, part.channels)
                               : fmt::format("its part '{}' ({:.4g} .. {:.4g})", part.part, part.range.lo, part.range.hi);
  return fmt::format("[{}] lost: {}; the scale {:.4g}, for numbers from {:.4g} to {:.4g}, leaves {:.1f} steps; more bits: {}",
                     part.value, what, part.step, part.whole.lo, part.whole.hi, part.steps(),
                     more_bits_option(part.of_output, part.value));
}

// As many as a row of the output has scores; as the labels say where its shape does not.
int classes_of(const Shape& scores, const calibration::Samples& samples) {
  std::int64_t width = 1;
  for (std::size_t d = 1; d < scores.size(); ++d) width *= std::max<std::int64_t>(scores[d], 1);
  return static_cast<int>(std::clamp<std::int64_t>(width, samples.classes, 1 << 30));
}

// Integers' real range at an input, where it is quantized.
std::optional<numeric::Grid> input_grid(const qgraph::QuantizedGraph& graph, qgraph::ValueId input) {
  for (const qgraph::Node& node : graph.nodes)
    if (const auto* quantize = std::get_if<qgraph::Quantize>(&node.op); quantize != nullptr && node.inputs[0] == input)
      return quantize->grid;
  return std::nullopt;
}

// Says how an input's numbers lie beside [lo, hi] where they do not fit; otherwise empty.
std::string misfit_text(std::span<const float> numbers, std::int64_t samples, double lo, double hi) {
  const double width = hi - lo;
  const auto far = std::ranges::count_if(numbers, [&](float v) { return v > hi + width || v < lo - width; });
  const double share = static_cast<double>(far) / static_cast<double>(numbers.size());
  if (share > kFarOutside)
    return fmt::format("{:.1f} % of its numbers lie far outside {:.4g} .. {:.4g}", 100.0 * share, lo, hi);
  double excess = 0.0;
  std::int64_t outside = 0;
  for (float v : numbers) {
    const double beyond = std::max({0.0, v - hi, lo - v});
    excess += beyond;
    outside += beyond > 0.0 ? 1 : 0;
  }
  const double count = static_cast<double>(numbers.size());
  if (excess > kMostExcess * width * count)
    return fmt::format("{:.1f} % of its numbers lie outside {:.4g} .. {:.4g}", 100.0 * static_cast<double>(outside) / count, lo, hi);
  const auto [least, most] = std::ranges::minmax(numbers);
  if (samples >= kLeastSamples && double{most} - least < kLittleUsed * width)
    return fmt::format("all its numbers lie within {:.4g} .. {:.4g}, a small part of {:.4g} .. {:.4g}", least, most, lo, hi);
  return "";
}

}  // namespace

void append(Warnings& all, Warnings more) { std::ranges::move(more, std::back_inserter(all)); }

void print(const Warnings& warnings) {
  if (warnings.empty()) return;
  flush_standard_output();
  for (const std::string& warning : warnings)
    std::fputs(fmt::format("warning: {}\n", shown(warning, kMostMessage)).c_str(), stderr);
}

std::string preparation_text(const calibration::Samples& samples) {
  std::string text = samples.has_pixels() ? describe(Preparation{samples.preprocessing, samples.prepared_by})
                                          : std::string("numbers taken as they are");
  if (samples.label_offset != 0) text += fmt::format(", {} added to labels", samples.label_offset);
  return text;
}

nlohmann::json preparation_json(const calibration::Samples& samples) {
  nlohmann::json out{{"label_offset", samples.label_offset}, {"pixels", samples.has_pixels()}};
  if (samples.has_pixels()) out.update(to_json(Preparation{samples.preprocessing, samples.prepared_by}));
  return out;
}

std::vector<analysis::PreparationTrial> preparation_trials(const ModelFile& model, const calibration::Samples& samples,
                                                           const DataOptions& data, std::size_t output) {
  return analysis::try_preparations(*float_engine::make_executor(model.graph), samples,
                                    batches_of(samples, data.thread_count()), output, true);
}

Warnings preparation_warnings(const ModelFile& model, const calibration::Samples& samples, const DataOptions& data,
                              std::size_t output, std::optional<double> right) {
  Warnings warnings = mixing_warnings(model, samples, data);
  if (samples.labels.empty() || samples.size() < kLeastSamples) return warnings;
  const Shape& scores = model.graph.value(model.graph.outputs.at(output)).shape;
  if (samples.classes == 1000 && samples.label_offset == 0 && !data.label_offset && scores.size() > 1 && scores[1] == 1001)
    warnings.push_back(fmt::format("[{}] 1,001 outputs beside 1,000 classes: a class before the first asks for --label-offset 1",
                                   model.path));
  const int classes = classes_of(scores, samples);
  const auto is_low = [&](const auto& trials) {
    return !trials.empty() && analysis::is_near_chance(trials[0].percent, classes);
  };
  if (right && !analysis::is_near_chance(*right, classes)) return warnings;
  const auto network = float_engine::make_executor(model.graph);
  const auto tried = [&](const calibration::Samples& some, bool all) {
    return analysis::try_preparations(*network, some, batches_of(some, data.thread_count()), output, all);
  };
  if (!is_low(tried(calibration::sample(samples, kFirstLook), false))) return warnings;
  const calibration::Samples some = calibration::sample(samples, kCloserLook);
  const auto trials = tried(some, true);
  if (!is_low(trials)) return warnings;
  if (const std::string text = near_chance_text(trials, model, some, classes); !text.empty())
    warnings.push_back(fmt::format("[{}] {}", model.path, text));
  return warnings;
}

Warnings calibration_warnings(const ir::Graph& graph, const calibration::Samples& samples, const calibration::StatisticsTable& seen,
                              const DataOptions& data) {
  Warnings warnings;
  for (const analysis::Doubt& doubt : analysis::doubts_of_samples(samples, seen))
    warnings.push_back(fmt::format("[{}] {}", doubt.where, doubt.what));
  const calibration::BatchOptions batches = batches_of(samples, data.thread_count());
  for (const analysis::Doubt& doubt : analysis::doubts_of_values(graph, samples, seen, batches, float_engine::make_executor))
    warnings.push_back(fmt::format("[{}] {}", doubt.where, doubt.what));
  return warnings;
}

Warnings noise_warnings(const DataOptions& data) {
  if (!data.is_noise()) return {};
  return {fmt::format("[{}] ranges are those of noise: for timing only", data.data)};
}

std::string more_bits_option(bool of_output, const std::string& value) {
  if (of_output) return fmt::format("--output-bits {}", kMoreBits);
  if (!is_utf8(value)) return "none by a rule, which cannot say this name";
  return fmt::format("[[tensor]] name = {}, bits = {} in a recipe", toml_quoted(value), kMoreBits);
}

Warnings lost_part_warnings(const ir::Graph& graph, const quant::Parameters& parameters, const calibration::StatisticsTable& seen,
                            const Looks& looks) {
  std::vector<analysis::LostPart> lost = analysis::lost_parts(graph, parameters, seen);
  std::set<ir::ValueId> known;
  for (const analysis::LostPart& part : lost) known.insert(part.scale_class);
  if (looks.channels)
    for (analysis::LostPart& part : analysis::lost_channels(graph, parameters, *looks.channels))
      if (known.insert(part.scale_class).second) lost.push_back(std::move(part));
  Warnings warnings;
  for (const analysis::LostPart& part : lost) warnings.push_back(lost_part_text(part));
  return warnings;
}

Warnings range_warnings(const ModelFile& model, const calibration::Samples& samples) {
  Warnings warnings;
  if (!model.integers) return warnings;
  const calibration::Samples some = calibration::sample(samples, kRangeSamples);
  std::vector<std::vector<float>> numbers(some.inputs.size());
  for (std::int64_t n = 0; n < some.size(); ++n) {
    const std::vector<Tensor> row = some.rows(n, n + 1);
    for (std::size_t i = 0; i < row.size(); ++i)
      if (row[i].dtype() == DType::float32) std::ranges::copy(row[i].data<float>(), std::back_inserter(numbers[i]));
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto grid = input_grid(*model.integers, model.integers->inputs.at(i));
    if (!grid || numbers[i].empty()) continue;
    const numeric::Affine& affine = grid->affine;
    const double lo = double{affine.scale} * (grid->format.qmin() - affine.zero_point);
    const double hi = double{affine.scale} * (grid->format.qmax() - affine.zero_point);
    const std::string misfit = misfit_text(numbers[i], some.size(), lo, hi);
    if (!misfit.empty())
      warnings.push_back(fmt::format("[{}] input '{}': {}, the range that it was calibrated for, with {}", model.path,
                                     some.inputs[i].name, misfit, preparation_text(samples)));
  }
  return warnings;
}

}  // namespace halftone::cli
