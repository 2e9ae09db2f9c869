#include "cli/recipe_options.h"

#include <fmt/format.h>

#include "cli/recipe_beside.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/quant/bits.h"
#include "halftone/quant/recipe_file.h"
#include "halftone/quant/recipe_names.h"
#include "halftone/base/toml_table.h"

namespace halftone::cli {
namespace {


// The first layer with the network's input, the last one with what it takes and the network's output.
void set_first_and_last(quant::Recipe& recipe, const quant::Bits& bits) {
  quant::WeightRecipe weights = recipe.weights;
  quant::set_bits(weights, bits);
  if (bits.code != quant::WeightCode::affine) weights.range = quant::WeightRange::min_max;  // they have none to clip
  recipe.layers = {{"<first>", weights}, {"<last>", weights}};
  if (recipe.dynamic && bits.activations.value_or(8) != 8)
    throw UsageError("--first-last", fmt::format("activations of {} bits with --dynamic, expected 8", *bits.activations));
  if (recipe.weight_only && bits.activations && !recipe.dynamic)
    throw UsageError("--first-last", "bits of activations that stay float, expected those of weights alone as w8");
  if (quant::is_codebook(recipe.weights.code) && bits.code != quant::WeightCode::affine)
    throw UsageError("--first-last", "binary or ternary weights with --codebook, expected bits of its places as w8a8");
  if (recipe.weight_only) return;
  quant::ActivationRecipe activations = recipe.activations;
  activations.format.bits = bits.activations.value_or(activations.format.bits);
  recipe.tensors = {{"<input>", activations}, {"<last>", activations}, {"<output>", activations}};
}

// The last rule that matches a layer counts.
void set_float_layers(quant::Recipe& recipe, const RecipeOptions& options) {
  if (!options.only.empty()) recipe.layers.push_back({"*", recipe.weights, true});
  for (const std::string& layer : options.only) recipe.layers.push_back({layer, recipe.weights});
  for (const std::string& layer : options.keep_float) recipe.layers.push_back({layer, recipe.weights, true});
}

void set_weight_range(quant::WeightRecipe& weights, const std::string& text) {
  if (!text.starts_with("fixed")) {
    weights.range = value_in(quant::kRangeNames, text, "--weight-observer");
    return;
  }
  weights.range = quant::WeightRange::fixed;
  weights.fraction_length = static_cast<int>(calibration::parse_observer(text).number);
}

std::string text_of(const std::string& file) {
  const std::vector<std::byte> bytes = read_file(file, quant::kMostRecipeBytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void set_methods(quant::Recipe& recipe, const RecipeOptions& options) {
  if (options.adaround) recipe.weights.rounding = quant::WeightRounding::adaround;
  if (options.error_feedback) recipe.weights.rounding = quant::WeightRounding::error_feedback;
  recipe.adaround_steps = options.adaround_steps;
  recipe.svd = options.svd;
  recipe.correct_bias = value_in(quant::kBiasCorrectionNames, options.correct_bias, "--correct-bias");
  recipe.equalize = options.equalize;
  recipe.absorb_biases = options.absorb_biases;
  recipe.smooth = std::stod(options.smooth);
}

void set_arithmetic(quant::Recipe& recipe, const RecipeOptions& options) {
  recipe.arithmetic.mode = numeric::arithmetic_from(options.arithmetic);
  if (options.mantissa_bits && recipe.arithmetic.mode != numeric::Arithmetic::fixed)
    throw UsageError("--mantissa",
                     fmt::format("arithmetic {} has no multiplier mantissa", options.arithmetic));
  recipe.arithmetic.mantissa_bits = options.mantissa_bits.value_or(32);
  recipe.arithmetic.rounding = numeric::rounding_from(options.rounding);
}

void expect_no_contradiction(const RecipeOptions& options, const quant::Bits& bits) {
  const bool coded = bits.code != quant::WeightCode::affine;
  const bool stay_float = options.dynamic || !bits.activations;
  if (!options.codebook.empty() && coded)
    throw UsageError("--codebook", fmt::format("with --bits {}, expected bits of its places as w4a8", options.bits));
  if (coded && (options.full_range || options.asymmetric))
    throw UsageError(options.full_range ? "--full-range" : "--asymmetric",
                     fmt::format("of weights on a uniform grid, with --bits {}", options.bits));
  if (stay_float && (options.symmetric || options.mantissa_bits))
    throw UsageError(options.symmetric ? "--symmetric" : "--mantissa",
                     "of activations that stay float, or come with ranges of their own");
  if (!options.codebook.empty() && options.full_range)
    throw UsageError("--full-range", "of weights on a uniform grid, with --codebook");
  if (options.dynamic && bits.activations != 8)
    throw UsageError("--dynamic", fmt::format("with --bits {}, expected activations of 8 bits as w8a8", options.bits));
  if (stay_float && !options.observer.empty() && options.observer != "minmax")
    throw UsageError("--observer", fmt::format("{} of activations that {}", options.observer,
                                               options.dynamic ? "have the range they come with" : "stay float, as --bits says"));
}

// Fills in options that are not given, by the bits: see RecipeOptions::recipe.
RecipeOptions with_defaults(RecipeOptions options, const quant::Bits& bits, bool few_bits) {
  const bool stay_float = options.dynamic || !bits.activations;
  const bool table = !options.codebook.empty();
  const quant::Bits ends = options.first_last.empty() ? bits : quant::parse_bits("--first-last", options.first_last);
  const bool few = !stay_float && (few_bits || quant::has_few(bits) || quant::has_few(ends));
  const quant::Defaults defaults = quant::defaults_for(bits, few);
  if (options.observer.empty()) options.observer = defaults.observer;
  if (options.weight_observer.empty())
    options.weight_observer = name_in(quant::kRangeNames, table ? quant::WeightRange::min_max : defaults.weight_range);
  if (options.correct_bias.empty()) options.correct_bias = name_in(quant::kBiasCorrectionNames, defaults.correct_bias);
  const bool others = options.nearest || options.adaround || table;
  if (!others && defaults.rounding == quant::WeightRounding::error_feedback) options.error_feedback = true;
  const bool named = !options.first_last.empty() && ends.activations;  // those of what the last layer gives
  if (!options.output_bits && !named) options.output_bits = defaults.output_bits;
  return options;
}

void set_weights(quant::WeightRecipe& weights, const RecipeOptions& options, const quant::Bits& bits) {
  if (!options.codebook.empty()) weights.code = value_in(quant::kCodeNames, options.codebook, "--codebook");
  quant::set_bits(weights, bits);
  set_weight_range(weights, options.weight_observer);
  weights.format.narrow = !options.full_range;
  weights.bias_bits = options.bias_bits;
  quant::set_granularity(weights, "--granularity", options.granularity);
  if (!options.asymmetric) return;
  weights.scheme = numeric::Scheme::asymmetric;
  weights.format.narrow = false;
}

// The settings of a recipe file that are not the recipe's own, each with the option that says the same.
struct Settings {
  DataOptions& data;
  FileSettings& file;

  template <typename F>
  void for_texts(F&& visit) const {
    visit("data", "--data", data.data);
    visit("images", "--images", data.images);
    visit("labels", "--labels", data.labels);
    visit("crop", "--crop", data.crop);
    visit("preset", "--preset", data.preprocessing.preset);
    visit("mean", "--mean", data.preprocessing.mean);
    visit("std", "--std", data.preprocessing.std);
    visit("scale", "--scale", data.preprocessing.scale);
  }
};

std::string list_of(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + toml_quoted(text);
  return "[" + list + "]";
}

}  // namespace

void RecipeOptions::add_to(Command command) {
  const Option recipe_file = command.add_option(
      "--recipe", file, "A TOML file with the whole recipe, as is written beside every quantized file");
  const auto own = [&](Option option) { return option.excludes(recipe_file); };
  own(command.add_option("--bits", bits,
                         "Bits of weights (2 to 16) and activations (1 to 16), as w4a8; w4: weights alone; "
                         "w1: binary, wt: ternary weights"))
      .show_default();
  const Option ends = own(command.add_option("--first-last", first_last,
                         "Bits of the first and the last layer and of what they take and give, as w8a8"));
  own(command.add_option("--sum-bits", sum_bits,
                         "Bits at least of what sums and pools take, and no layer multiplies (otherwise as all); layers get a copy of fewer")
          .within(1, numeric::kMaxBits));
  own(command.add_option("--output-bits", output_bits,
                         "Bits of the network's outputs (otherwise those of activations, 8 at least): of two equal scores the first "
                         "class counts"))
      .within(1, numeric::kMaxBits);
  const Option kept = own(command.add_option("--keep-float", keep_float,
                         "Layers and other nodes that stay float, by name or pattern (* is any text, ? any character), without --allow-float"))
      .value_name("LAYER");
  own(command.add_option("--only", only, "Layers and other nodes that become integers, likewise: all others stay float"))
      .value_name("LAYER")
      .excludes(kept)
      .excludes(ends);
  own(command.add_option("--granularity", granularity, "One weight scale for each: tensor, channel, or group=INPUTS (that many "
                         "inputs of a channel)"))
      .show_default();
  own(command.add_option(
          "--observer", observer,
          "How activations' ranges are chosen: minmax, moving-average[=MOMENTUM], percentile[=PERCENT], "
          "sigma[=DEVIATIONS], kl, mse, l1 or fixed=FRACTION_LENGTH (otherwise minmax, or mse with fewer than 8 bits)"));
  own(command.add_flag("--dynamic", dynamic,
                       "What Conv, Gemm and MatMul take is quantized as it comes, to 8 bits of its own range; the rest stays float"));
  own(command.add_option("--weight-observer", weight_observer,
                         "How weights' ranges are chosen: minmax, clipped for the least squared (mse) or absolute "
                         "(l1) error, or fixed=FRACTION_LENGTH (otherwise minmax, or mse with fewer than 8 bits and activations in "
                         "integers)"));
  own(command.add_option("--codebook", codebook,
                         "Weights from a table of 2^bits numbers a layer: kmeans, or log2 (powers of two)"))
      .one_of({"kmeans", "log2"});
  const Option rounded = own(command.add_flag("--adaround", adaround,
                                       "Weights rounded up or down by what each layer then computes"));
  own(command.add_option("--adaround-steps", adaround_steps, "Steps a layer"))
      .needs(rounded)
      .within(1, 1000000)
      .show_default();
  const Option fed = own(command.add_flag("--error-feedback", error_feedback,
                       "Weights rounded one after the other, the rest taking up the error (as GPTQ); so are fewer than 8 bits "
                       "with activations in integers, unless --adaround, --nearest or --codebook says otherwise"))
      .excludes(rounded);
  own(command.add_flag("--nearest", nearest, "Weights rounded each to the nearest")).excludes(rounded).excludes(fed);
  own(command.add_flag("--absorb-biases", absorb_biases,
                       "What all values of a channel have in common moved into the next layer's bias"));
  own(command.add_option("--svd", svd,
                         "Gemm layers as two of this rank, or of the rank that keeps this part of the energy (as 0.9), where "
                         "that takes fewer weights"));
  own(command.add_flag("--correct-bias{measured}", correct_bias,
                       "Biases take up the mean error that quantization makes in each channel: measured on samples, or "
                       "--correct-bias=analytic by batch normalization's statistics (measured ones where there is none); otherwise "
                       "none, or measured with fewer than 8 bits and activations in integers"))
      .one_of({"none", "measured", "analytic"});
  const Option evened =
      own(command.add_flag("--equalize", equalize, "Scale moved between layers until their channels' weights are even"));
  own(command.add_flag("--smooth{0.5}", smooth,
                       "Scale moved from activations with outliers to the weights that take them (SmoothQuant): all of it "
                       "with --smooth=1"))
      .within(0.01, 1.0)
      .excludes(evened);
  const Option even = own(command.add_flag("--symmetric", symmetric,
                                    "Weights and activations symmetric (otherwise activations are asymmetric)"));
  const Option uneven =
      own(command.add_flag("--asymmetric", asymmetric, "Weights and activations asymmetric")).excludes(even);
  own(command.add_flag("--full-range", full_range,
                       "Symmetric weights of b bits from -2^(b-1) (otherwise from -2^(b-1) + 1)"))
      .excludes(uneven);
  own(command.add_flag("--power-of-two", power_of_two, "Scales rounded up to powers of two"));
  own(command.add_option("--bias-bits", bias_bits, "Bits of biases: 2 to 16, each channel's shifted left until it fits, or 32"))
      .within(2, numeric::kWholeBias)
      .show_default();
  own(command.add_option("--arithmetic", arithmetic,
                         "fixed (integer multiplier), shift (implies --power-of-two), or onnx (as ONNX Runtime)"))
      .one_of({"fixed", "shift", "onnx"})
      .show_default();
  own(command.add_option("--mantissa", mantissa_bits,
                         "Bits of the multiplier of 'fixed': 8, 16 or 32 (otherwise 32)"))
      .one_of({8, 16, 32});
  own(command.add_option("--rounding", rounding, "How inputs and results are rounded: half_even, half_away or half_up"))
      .one_of({"half_even", "half_away", "half_up"})
      .show_default();
}

quant::Recipe RecipeOptions::recipe(bool few_bits) const {
  if (!file.empty()) return quant::recipe_from_toml(text_of(file), file);
  const quant::Bits parsed = quant::parse_bits("--bits", bits);
  expect_no_contradiction(*this, parsed);
  const RecipeOptions all = with_defaults(*this, parsed, few_bits);
  quant::Recipe recipe;
  recipe.dynamic = dynamic;
  recipe.weight_only = dynamic || !parsed.activations;
  set_weights(recipe.weights, all, parsed);
  recipe.activations.format.bits = parsed.activations.value_or(8);
  recipe.activations.observer = calibration::parse_observer(all.observer);
  if (symmetric) recipe.activations.scheme = numeric::Scheme::symmetric;
  set_methods(recipe, all);
  set_arithmetic(recipe, all);
  if (!first_last.empty()) set_first_and_last(recipe, quant::parse_bits("--first-last", first_last));
  if (all.output_bits && recipe.weight_only) throw UsageError("--output-bits", "of activations that stay float");
  if (all.output_bits) quant::set_output_bits(recipe, *all.output_bits);
  set_float_layers(recipe, all);
  recipe.sum_bits = all.sum_bits.value_or(0);
  if (power_of_two || recipe.arithmetic.mode == numeric::Arithmetic::shift) quant::use_powers_of_two(recipe);
  quant::check(recipe);
  return recipe;
}

void FileSettings::add_recipe_output_to(Command command) {
  command.add_option("--recipe-output", recipe_output,
                  "Where the full recipe goes (otherwise beside the quantized file: out.recipe.toml for out.onnx)")
      .value_name("FILE");
}

std::string recipe_file(const quant::Recipe& recipe, const DataOptions& data, const FileSettings& settings,
                        const std::string& model_digest) {
  std::string text = fmt::format("# {}.\n", settings.recipe_use);
  text += quant::to_toml(recipe) + "\n[data]\n";
  DataOptions copy = data;
  FileSettings file = settings;
  Settings{copy, file}.for_texts([&](const char* key, const char*, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} = {}\n", key, toml_quoted(value));
  });
  if (data.preprocessing.overrides) text += "override_preprocessing = true\n";
  text += fmt::format("samples = {}\n", data.sample_count());
  if (data.label_offset || !data.preprocessing.overrides)
    text += fmt::format("label_offset = {}\n", data.label_offset.value_or(0));
  text += fmt::format("resize = {}\n", data.resize);
  if (!settings.ranges.empty()) text += fmt::format("ranges = {}\n", list_of(settings.ranges));
  text += fmt::format("\n[file]\nformat = \"{}\"\nallow_float = {}\n", settings.format, settings.allow_float);
  text += fmt::format("shapes = {}\n", list_of(settings.shapes.shapes));
  text += fmt::format("{} = \"{}\"\n", kModelDigest, model_digest);
  if (text.size() > quant::kMostRecipeBytes)
    throw UnsupportedError("recipe", fmt::format("{} bytes, expected at most {}", text.size(), quant::kMostRecipeBytes));
  return text;
}

void take_over(const std::string& file, Command command, DataOptions& data, FileSettings& settings) {
  const toml::table root = parse_toml(text_of(file), file);
  const auto given = [&](const char* option) { return command.was_given(option); };
  const bool other_source = given("--data") || given("--images");
  if (const toml::table* table = root["data"].as_table()) {
    TomlTable reader(*table, file, "data");
    const bool other_pixels = given("--preset") || given("--mean") || given("--std") || given("--scale");
    Settings{data, settings}.for_texts([&](const char* key, const char* option, std::string& value) {
      std::string text = value;
      reader.read(key, text);
      const std::string_view of = key;
      const bool pixels = of == "preset" || of == "mean" || of == "std" || of == "scale";
      if (!given(option) && !(pixels ? other_pixels : other_source)) value = text;
    });
    int samples = static_cast<int>(data.sample_count());
    int offset = static_cast<int>(data.label_offset.value_or(0));
    int resize = static_cast<int>(data.resize);
    reader.read("samples", samples, 0, 1 << 30);  // 0: all
    bool overrides = false;
    reader.read("override_preprocessing", overrides);
    if (!other_pixels && !other_source) data.preprocessing.overrides = data.preprocessing.overrides || overrides;
    reader.read("label_offset", offset, -(1 << 30), 1 << 30);
    reader.read("resize", resize, 0, 1 << 16);
    std::vector<std::string> ranges = settings.ranges;
    reader.read("ranges", ranges);
    reader.expect_no_more();
    if (!given("--ranges") && !other_source) settings.ranges = ranges;
    if (!given(data.samples_name.c_str()) && samples > 0) data.samples = samples;
    if (!given("--label-offset") && !other_source && (offset != 0 || (overrides && table->contains("label_offset"))))
      data.label_offset = offset;
    if (!given("--resize") && !other_source) data.resize = resize;
  }
  if (const toml::table* table = root["file"].as_table()) {
    TomlTable reader(*table, file, "file");
    std::string format = settings.format;
    bool allow_float = settings.allow_float;
    reader.read("format", format);
    reader.read("allow_float", allow_float);
    std::vector<std::string> shapes = settings.shapes.shapes;
    reader.read("shapes", shapes);
    std::string of_another_run;
    reader.read(kModelDigest, of_another_run);
    reader.expect_no_more();
    if (!given("--shape")) settings.shapes.shapes = shapes;
    if (format != "qdq" && format != "qoperator" && format != "qonnx")
      reader.fail("format", fmt::format("got '{}', expected qdq, qoperator or qonnx", format));
    if (!given("--format")) settings.format = format;
    settings.allow_float = settings.allow_float || allow_float;
  }
}

}  // namespace halftone::cli
