#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <memory>

#include "cli/calibration.h"
#include "cli/commands.h"
#include "cli/integers.h"
#include "halftone/ptq/float_network.h"
#include "cli/number_list.h"
#include "cli/reference.h"
#include "cli/search_task.h"
#include "cli/warnings.h"
#include "halftone/base/error.h"
#include "halftone/base/new_files.h"
#include "halftone/float_engine/executor.h"

namespace halftone::cli {
namespace {

constexpr std::int64_t kLeastRows = 8;  // of the training samples, in three parts

// None for time.
std::optional<analysis::Budget> budget_of(const std::string& name) {
  if (name == "time") return std::nullopt;
  return value_in(analysis::kBudgetNames, name, "--budget");
}

// "25000", in the budget's unit, or "50%" of what all cost as they start.
double limit_of(const std::string& text, double start_cost) {
  const bool share = text.ends_with('%');
  const char* const end = text.data() + text.size() - (share ? 1 : 0);
  double value = 0.0;
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end || !(value > 0.0) || value > 1e300)
    throw UsageError(
        "--limit",
        fmt::format("got '{}', expected a number of bytes, bit-operations, pJ or milliseconds, or a share as 50%", text));
  return share ? value / 100.0 * start_cost : value;
}

void check_options(const SearchOptions& options) {
  const bool chooses = options.max_drop || !options.limit.empty();
  if (!options.output.empty() && !chooses)
    throw UsageError("-o", "got neither --max-drop nor --limit, expected one to say which model is written");
  if (options.max_drop && !(*options.max_drop >= 0.0 && *options.max_drop <= 100.0))
    throw UsageError("--max-drop",
                     fmt::format("got {}, expected percentage points, 0 to 100", *options.max_drop));
  check_quantized_output(options.output, options.file);
  check_written({options.html});
  if (!options.data.given())
    throw UsageError("--data",
                     "or --images: no samples to calibrate and measure on, neither here nor in a recipe");
  if (options.data.images.empty() && data::parse_source(options.data.data).part == data::Part::test)
    throw UsageError("--data",
                     fmt::format("got '{}', expected training samples: what test samples choose, they "
                                 "cannot judge",
                                 options.data.data));
}

quant::Recipe start_recipe(const SearchOptions& options) {
  quant::Recipe recipe = options.recipe.recipe(true);
  if (recipe.weight_only || recipe.weights.code != quant::WeightCode::affine)
    throw UsageError("search", fmt::format("of {}, expected weights of 2 bits or more without a codebook and activations "
                                           "of ranges that samples choose, as w8a8",
                                           quant::describe(recipe)));
  return recipe;
}

std::vector<int> weight_bits_of(const SearchOptions& options, std::optional<analysis::Budget> budget, const quant::Recipe& recipe) {
  if (!options.weights && !budget) return {recipe.weights.format.bits};
  return parse_numbers("--weights", options.weights.value_or("2-6,8"), 2, 16);
}

std::vector<int> input_bits_of(const SearchOptions& options, std::optional<analysis::Budget> budget, const quant::Recipe& recipe) {
  if (options.activations) return parse_numbers("--activations", *options.activations, 1, numeric::kMaxBits);
  if (!budget) return {8, 16};
  return *budget == analysis::Budget::bytes ? std::vector<int>{recipe.activations.format.bits} : std::vector<int>{4, 8};
}

// The limit, once it is known to be within reach.
std::optional<double> checked_limit(const SearchTask& task) {
  if (task.options.limit.empty()) return std::nullopt;
  const double limit = limit_of(task.options.limit, task.start_cost);
  double least = task.fixed_cost;
  for (const analysis::MixedGroup& group : task.groups)
    for (const analysis::MixedLayer& layer : group.layers)
      least += task.cost(group, layer, layer.bits.front(), group.bits.front());
  if (limit < least)
    throw UsageError("--limit",
                     fmt::format("got {}, expected at least {}, the cost with the fewest bits everywhere",
                                 cost_text(task, limit), cost_text(task, least)));
  return limit;
}

void set_limit(SearchTask& task) {
  task.start_cost = task.fixed_cost + start_cost(task.cost, task.groups);
  task.limit = checked_limit(task);
}

// The choices among `bits` that the file to be written has a form for, `set` into a recipe. Throws UnsupportedError when it has
// none for any.
std::vector<int> in_format(const SearchTask& task, std::vector<int> bits, int& (*set)(quant::Recipe&)) {
  if (task.options.output.empty()) return bits;
  std::vector<int> held;
  for (int b : bits) {
    quant::Recipe recipe = task.recipe;
    set(recipe) = b;
    try {
      check_format(task.graph, recipe, task.options.file.format);
      held.push_back(b);
    } catch (const UnsupportedError&) {
      if (b == bits.back() && held.empty()) throw;
    }
  }
  return held;
}

void find_groups(SearchTask& task) {
  const auto weight_bits = [](quant::Recipe& recipe) -> int& { return recipe.weights.format.bits; };
  const auto input_bits = [](quant::Recipe& recipe) -> int& { return recipe.activations.format.bits; };
  task.groups = analysis::mixed_groups(
      task.graph, task.recipe, in_format(task, weight_bits_of(task.options, task.budget, task.recipe), weight_bits),
      in_format(task, input_bits_of(task.options, task.budget, task.recipe), input_bits));
}

void open_network(SearchTask& task) {
  const SearchOptions& options = task.options;
  task.model = load_model_file(options.model, options.file.shapes.input_shapes());
  if (task.model.integers) throw InputError(options.model, "is quantized already, expected a float model");
  task.output = output_index(task.model, options.scores, "--scores");
  task.graph = ptq::float_network(task.model.graph, task.recipe);
  if (!options.file.allow_float)
    refuse_islands(quant::preflight(task.graph, task.recipe).islands, options.model);
  find_groups(task);
  bool choices = false;
  for (const analysis::MixedGroup& group : task.groups)
    for (const analysis::MixedLayer& layer : group.layers)
      choices = choices || group.bits.size() > 1 || layer.bits.size() > 1;
  if (!choices)
    throw InputError(options.model,
                     "no layer has a choice of bits, expected layers with weights that no rule of the "
                     "recipe names, and several --weights or --activations");
  if (!task.budget) return;
  task.cost = analysis::counted(*task.budget);
  set_limit(task);
}

void open_samples(SearchTask& task) {
  DataOptions all = task.options.data;
  all.samples.reset();
  all.usual_samples = 0;
  const calibration::Samples samples = all.take(all.open(data::Part::train, task.model), task.model, Labels::wanted);
  if (samples.labels.empty())
    throw InputError(samples.name, "has no labels to count right classes by, expected an array y");
  const std::int64_t calibration = task.options.data.sample_count();
  const std::int64_t left = samples.size() - std::min(calibration, samples.size());
  if (left < kLeastRows)
    throw InputError(samples.name,
                     fmt::format("{} samples besides {} to calibrate on, expected {} or more: fewer "
                                 "--calibration-samples leave more",
                                 left, calibration, kLeastRows));
  const calibration::Samples rest = calibration::left_by_sample(samples, calibration);
  const std::int64_t harm = std::min(task.options.harm_samples, left / 2);
  task.calibration = calibration::sample(samples, calibration);
  task.harm = calibration::sample(rest, harm);
  task.held_out = calibration::sample(calibration::left_by_sample(rest, harm), task.options.samples);
  task.graph = ptq::move_by_samples(std::move(task.graph), task.recipe, runs_for(task.calibration, task.options.data));
  find_groups(task);  // nodes may have moved
  task.seen = calibrate(task.graph, task.calibration, task.options.data);
}

analysis::SearchResult search(const SearchTask& task) {
  const SearchOptions& options = task.options;
  return analysis::search_bits(
      {.model = task.model.graph,
       .graph = task.graph,
       .recipe = task.recipe,
       .groups = task.groups,
       .seen = task.seen,
       .calibration = task.calibration,
       .harm = task.harm,
       .held_out = task.held_out,
       .cost = task.cost,
       .fixed_cost = task.fixed_cost,
       .max_drop = options.max_drop,
       .limit = task.limit,
       .output = task.output,
       .name = options.model,
       .make_executor = float_engine::make_executor,
       .in_batches = [&](const auto& samples, const auto& title,
                         const auto& work) { with_progress(options.data, samples, title, work); },
       .make_integers = [](const qgraph::QuantizedGraph& graph) { return run_integers(graph); },
       .runs_for = [&](const auto& samples, const auto& title) { return runs_for(samples, options.data, nullptr, title); },
       .check_islands =
           [&](const auto& islands) {
             if (!options.file.allow_float) refuse_islands(islands, options.model);
           }});
}

void add_model(SearchTask& task, analysis::SearchResult& result, NewFiles& files) {
  ir::Graph& quantized = result.model->quantized.graph;
  quantized.metadata[data::kPreprocessingKey] = data::encode(task.calibration.preprocessing);
  keep_label_offset(quantized.metadata, task.calibration);
  task.bytes =
      write_quantized(quantized, result.recipe, task.options.data, task.options.file, task.options.output, files).bytes;
}

int run_search(const SearchOptions& options) {
  const std::optional<analysis::Budget> budget = budget_of(options.budget);  // GCC 12 destroys a task twice whose own initializer throws
  SearchTask task{.options = options, .budget = budget};
  task.recipe = start_recipe(options);
  check_options(options);
  open_network(task);
  open_samples(task);
  task.warnings = preparation_warnings(task.model, task.calibration, options.data, task.output);
  append(task.warnings, calibration_warnings(task.graph, task.calibration, task.seen, options.data));
  if (!task.budget) append(task.warnings, time_warnings(task));
  print(task.warnings);
  if (!task.budget) {
    measure_times(task);
    set_limit(task);
  }
  analysis::SearchResult result = search(task);
  if (!task.budget && result.chosen) measure_chosen(task, result.model->integers);
  NewFiles files;
  if (result.chosen && !options.output.empty()) add_model(task, result, files);
  add_page(task, result, files);
  files.publish();
  present(task, result);
  return options.max_drop && !result.chosen ? kNo : kYes;
}

void add_search_options(Command command, SearchOptions& options) {
  command.add_option(
          "--budget", options.budget,
          "What is to be spared: bytes (of packed weights), bitops (multiply-adds by the bits of both "
          "operands), energy (pJ, by Horowitz's table of 45 nm) or time (milliseconds of the engine, measured on this machine: on another "
          "one, or on another day, they differ)")
      .one_of({"bytes", "bitops", "energy", "time"})
      .show_default();
  Option drop =
      command.add_option("--max-drop", options.max_drop,
                         "Choose the cheapest that loses at most so many percentage points of accuracy");
  command.add_option(
          "--limit", options.limit,
          "Choose the best that costs at most this: bytes, bit-operations, pJ or milliseconds, or a share as 50% of what "
          "--bits costs")
      .excludes(drop);
  command.add_option("--weights", options.weights,
                     "Bits that a layer's weights may have, as 4,8: those that --format holds (otherwise 2-6,8, and for time those of --bits)");
  command.add_option(
      "--activations", options.activations,
      "Bits that a layer's inputs may have, of 2, 4, 8 and 16 (otherwise 4,8, for bytes those of "
      "--bits, and for time 8,16)");
  command.add_option("--harm-samples", options.harm_samples, "Samples that every choice is measured on")
      .within(1, 1 << 30)
      .show_default();
  command.add_option("--samples", options.samples, "Samples that accuracy is measured on, apart from all others")
      .within(1, 1 << 30)
      .show_default();
  command.add_option("--scores", options.scores,
                     "The network's output whose largest number is the class (otherwise the first)");
}

}  // namespace

void add_search(Command app, Run& run) {
  auto options = std::make_shared<SearchOptions>();
  options->data.usual_samples = kCalibrationSamples;
  const Command command = app.add_command("search", "Bits for each layer: the best models under a budget");
  command.footer(
      "Example: halftone search mlp.onnx --data mnist --budget bytes --max-drop 0.5 -o best.onnx\n"
      "Every layer is measured at every number of bits, the others as --bits says; the best assignments by "
      "these "
      "measurements are the front, whose models are then measured themselves. Layers that --first-last or a "
      "rule of "
      "--recipe names keep their bits. All samples are training samples.");
  command.add_option("model", options->model, "Float ONNX model").required();
  command.add_option("-o,--output", options->output,
                      "ONNX file to write, with the recipe that quantize makes it by beside it");
  options->file.add_recipe_output_to(command);
  command.option("--recipe-output").needs(command.option("--output"));
  add_search_options(command, *options);
  command.add_option("--format", options->file.format, "qdq, qoperator or qonnx, as quantize writes them")
      .one_of({"qdq", "qoperator", "qonnx"})
      .show_default();
  command.add_flag("--allow-float", options->file.allow_float, "Nodes without an integer form stay float");
  options->file.shapes.add_to(command);
  options->data.may_be_missing = true;
  options->data.samples_name = "--calibration-samples";
  options->data.add_to(command, data::Part::train,
                       "Samples to calibrate on, spread over the set (otherwise 1024)");
  options->recipe.add_to(command);
  for (const char* none : {"--codebook", "--dynamic"}) command.remove_option(none);
  command.option("--bits").description("Bits of weights (2 to 16) and activations (1 to 16) to start from, as w4a8");
  command.add_flag("--json", options->json, "Print the result as JSON");
  command.add_option("--html", options->html, "A page with the front drawn").value_name("FILE");
  command.when_chosen([options, command, &run] {
    run = [options, command] {
      if (!options->recipe.file.empty())
        take_over(options->recipe.file, command, options->data, options->file);
      return run_search(*options);
    };
  });
}

}  // namespace halftone::cli
