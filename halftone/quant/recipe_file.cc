#include "halftone/quant/recipe_file.h"

#include <fmt/format.h>

#include "halftone/quant/recipe_names.h"
#include "halftone/base/toml_table.h"

namespace halftone::quant {
namespace {

constexpr int kVersion = 1;
constexpr int kMostSteps = 1000000;
constexpr int kMostFraction = 64;

std::string weights_of(const WeightRecipe& w) {
  std::string text = fmt::format("code = \"{}\"\n", name_in(kCodeNames, w.code));
  text += fmt::format("bits = {}\nsigned = {}\nnarrow = {}\n", w.format.bits, w.format.is_signed, w.format.narrow);
  text += fmt::format("scheme = \"{}\"\ngranularity = \"{}\"\npower_of_two = {}\n", name_in(kSchemeNames, w.scheme),
                      name_in(kGranularityNames, w.granularity), w.power_of_two);
  if (w.granularity == numeric::Granularity::group) text += fmt::format("group_size = {}\n", w.group_size);
  text += fmt::format("range = \"{}\"\n", name_in(kRangeNames, w.range));
  if (w.range == WeightRange::fixed) text += fmt::format("fraction_length = {}\n", w.fraction_length);
  return text + fmt::format("rounding = \"{}\"\nbias_bits = {}\n", name_in(kRoundingNames, w.rounding), w.bias_bits);
}

std::string activations_of(const ActivationRecipe& a) {
  return fmt::format("bits = {}\nsigned = {}\nscheme = \"{}\"\npower_of_two = {}\nobserver = \"{}\"\n",
                     a.format.bits, a.format.is_signed, name_in(kSchemeNames, a.scheme), a.power_of_two,
                     describe(a.observer));
}

std::string methods_of(const Recipe& recipe) {
  return fmt::format("\n[methods]\nweight_only = {}\ndynamic = {}\nequalize = {}\nsmooth = {}\nabsorb_biases = {}\nsvd = {}\n"
                     "correct_bias = \"{}\"\nadaround_steps = {}\n{}",
                     recipe.weight_only, recipe.dynamic, recipe.equalize, recipe.smooth, recipe.absorb_biases, recipe.svd,
                     name_in(kBiasCorrectionNames, recipe.correct_bias), recipe.adaround_steps,
                     recipe.sum_bits > 0 ? fmt::format("sum_bits = {}\n", recipe.sum_bits) : "");
}

void read(TomlTable& table, WeightRecipe& w) {
  table.read("code", w.code, kCodeNames);
  table.read("bits", w.format.bits, 1, numeric::kMaxBits);
  table.read("signed", w.format.is_signed);
  table.read("narrow", w.format.narrow);
  table.read("scheme", w.scheme, kSchemeNames);
  table.read("granularity", w.granularity, kGranularityNames);
  if (w.granularity != numeric::Granularity::group) w.group_size = 0;
  table.read("group_size", w.group_size, 0, kMostInputs);
  if (w.granularity != numeric::Granularity::group && w.group_size != 0)
    table.fail("group_size", "without granularity = \"group\"");
  table.read("power_of_two", w.power_of_two);
  table.read("range", w.range, kRangeNames);
  if (w.range != WeightRange::fixed) w.fraction_length = 0;
  table.read("fraction_length", w.fraction_length, -kMostFraction, kMostFraction);
  if (w.range != WeightRange::fixed && w.fraction_length != 0)
    table.fail("fraction_length", "without range = \"fixed\"");
  table.read("rounding", w.rounding, kRoundingNames);
  table.read("bias_bits", w.bias_bits, 2, numeric::kWholeBias);
}

void read(TomlTable& table, ActivationRecipe& a) {
  table.read("bits", a.format.bits, 1, numeric::kMaxBits);
  table.read("signed", a.format.is_signed);
  table.read("scheme", a.scheme, kSchemeNames);
  table.read("power_of_two", a.power_of_two);
  std::string observer = describe(a.observer);
  table.read("observer", observer);
  try {
    a.observer = calibration::parse_observer(observer);
  } catch (const UsageError& error) {
    table.fail("observer", error.what());
  }
}

// Reads and takes apart one TOML document.
class Document {
 public:
  Document(std::string_view text, const std::string& where) : where_(where), root_(parse_toml(text, where)) {}

  Recipe recipe() {
    expect_known_tables();
    Recipe recipe;
    with_table("weights", [&](TomlTable& table) { read(table, recipe.weights); });
    with_table("activations", [&](TomlTable& table) { read(table, recipe.activations); });
    with_table("methods", [&](TomlTable& table) {
      table.read("weight_only", recipe.weight_only);
      table.read("sum_bits", recipe.sum_bits, 0, numeric::kMaxBits);
      table.read("dynamic", recipe.dynamic);
      table.read("equalize", recipe.equalize);
      table.read("smooth", recipe.smooth);
      table.read("absorb_biases", recipe.absorb_biases);
      table.read("svd", recipe.svd);
      table.read("correct_bias", recipe.correct_bias, kBiasCorrectionNames);
      table.read("adaround_steps", recipe.adaround_steps, 1, kMostSteps);
    });
    with_table("arithmetic", [&](TomlTable& table) { read_arithmetic(table, recipe.arithmetic); });
    with_rules("layer", [&](TomlTable& table) {
      LayerRule rule{"", recipe.weights};
      table.read("name", rule.layer);
      table.read("float", rule.stays_float);
      if (!rule.stays_float) read(table, rule.weights);
      recipe.layers.push_back(rule);
    });
    with_rules("tensor", [&](TomlTable& table) {
      TensorRule rule{"", recipe.activations};
      table.read("name", rule.tensor);
      read(table, rule.activations);
      recipe.tensors.push_back(rule);
    });
    try {
      check(recipe);
    } catch (const UsageError& error) {
      throw InputError(where_, error.message());
    }
    return recipe;
  }

 private:
  void expect_known_tables() const {
    TomlTable root(root_, where_, "");
    int version = kVersion;
    root.read("version", version, kVersion, kVersion);
    for (const auto& [key, node] : root_) {
      const std::string_view name = key.str();
      const bool rules = name == "layer" || name == "tensor";
      const bool table = name == "weights" || name == "activations" || name == "methods" ||
                         name == "arithmetic" || name == "data" || name == "file";
      if (name == "version") continue;
      if (!rules && !table) root.fail(std::string(name).c_str(), "is no part of a recipe");
      if (table && !node.is_table()) root.fail(std::string(name).c_str(), "is no table");
      if (rules && !node.is_array_of_tables())
        root.fail(std::string(name).c_str(), "is no list of tables, expected as [[layer]]");
    }
  }

  template <typename F>
  void with_table(const char* name, F&& body) {
    const toml::table* table = root_[name].as_table();
    if (table == nullptr) return;
    TomlTable reader(*table, where_, name);
    body(reader);
    reader.expect_no_more();
  }

  template <typename F>
  void with_rules(const char* name, F&& body) {
    const toml::array* rules = root_[name].as_array();
    if (rules == nullptr) return;
    for (const toml::node& node : *rules) {
      TomlTable reader(*node.as_table(), where_, name);
      body(reader);
      reader.expect_no_more();
    }
  }

  static void read_arithmetic(TomlTable& table, numeric::ArithmeticSpec& spec) {
    std::string mode(numeric::name_of(spec.mode));
    std::string rounding(numeric::name_of(spec.rounding));
    table.read("mode", mode);
    table.read("mantissa_bits", spec.mantissa_bits, 8, 32);
    table.read("rounding", rounding);
    const char* key = "mode";
    try {
      spec.mode = numeric::arithmetic_from(mode);
      key = "rounding";
      spec.rounding = numeric::rounding_from(rounding);
    } catch (const UsageError& error) {
      table.fail(key, error.what());
    }
  }

  std::string where_;
  toml::table root_;
};

}  // namespace

std::string to_toml(const Recipe& recipe) {
  std::string text = fmt::format("version = {}\n", kVersion);
  text += "\n[weights]\n" + weights_of(recipe.weights);
  text += "\n[activations]\n" + activations_of(recipe.activations);
  text += methods_of(recipe);
  text += fmt::format("\n[arithmetic]\nmode = \"{}\"\nmantissa_bits = {}\nrounding = \"{}\"\n",
                      numeric::name_of(recipe.arithmetic.mode), recipe.arithmetic.mantissa_bits,
                      numeric::name_of(recipe.arithmetic.rounding));
  for (const LayerRule& rule : recipe.layers)
    text += fmt::format("\n[[layer]]\nname = {}\n", toml_quoted(rule.layer)) + (rule.stays_float ? "float = true\n" : weights_of(rule.weights));
  for (const TensorRule& rule : recipe.tensors)
    text += fmt::format("\n[[tensor]]\nname = {}\n", toml_quoted(rule.tensor)) + activations_of(rule.activations);
  return text;
}

Recipe recipe_from_toml(std::string_view text, const std::string& where) {
  return Document(text, where).recipe();
}

}  // namespace halftone::quant
