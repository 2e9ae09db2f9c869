// Recipes as files.
#include "halftone/quant/recipe_file.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"

namespace halftone::quant {
namespace {

using testing::HasSubstr;

WeightRecipe any_weights() {
  WeightRecipe w;
  w.code = *rc::gen::element(WeightCode::affine, WeightCode::binary, WeightCode::ternary);
  w.format = {*rc::gen::inRange(2, 17), true, *rc::gen::arbitrary<bool>()};
  w.granularity = *rc::gen::element(numeric::Granularity::tensor, numeric::Granularity::channel, numeric::Granularity::group);
  const bool groups = w.granularity == numeric::Granularity::group;
  if (groups) w.group_size = *rc::gen::inRange(1, 1000);
  if (groups) w.code = WeightCode::affine;
  w.power_of_two = *rc::gen::arbitrary<bool>();
  if (w.code == WeightCode::affine) w.scheme = *rc::gen::element(numeric::Scheme::symmetric, numeric::Scheme::asymmetric);
  if (w.code == WeightCode::affine)
    w.range = *rc::gen::element(WeightRange::min_max, WeightRange::mean_squared_error,
                                WeightRange::mean_absolute_error, WeightRange::fixed);
  if (w.range == WeightRange::fixed) w.fraction_length = *rc::gen::inRange(-64, 65);
  w.rounding = *rc::gen::element(WeightRounding::nearest, WeightRounding::adaround, WeightRounding::error_feedback);
  return w;
}

ActivationRecipe any_activations() {
  ActivationRecipe a;
  a.format = {*rc::gen::element(2, 4, 8, 16), *rc::gen::arbitrary<bool>(), false};
  a.scheme = *rc::gen::element(numeric::Scheme::symmetric, numeric::Scheme::asymmetric);
  a.power_of_two = *rc::gen::arbitrary<bool>();
  a.observer = calibration::parse_observer(*rc::gen::element("minmax", "mse", "sigma=2.5", "percentile=99.9"));
  return a;
}

Recipe any_recipe() {
  Recipe recipe{.weights = any_weights(), .activations = any_activations()};
  recipe.equalize = *rc::gen::arbitrary<bool>();
  if (!recipe.equalize) recipe.smooth = *rc::gen::element(0.0, 0.1, 0.5, 1.0);
  recipe.absorb_biases = *rc::gen::arbitrary<bool>();
  recipe.svd = *rc::gen::element(0.0, 0.9, 1.0, 64.0);
  recipe.correct_bias =
      *rc::gen::element(BiasCorrection::none, BiasCorrection::measured, BiasCorrection::analytic);
  recipe.adaround_steps = *rc::gen::inRange(1, 10001);
  if (!recipe.weight_only) recipe.sum_bits = *rc::gen::inRange(0, 17);
  recipe.arithmetic.mantissa_bits = *rc::gen::element(8, 16, 32);
  const std::vector<std::string> names{"conv1", "<first>", "a \"quoted\" name", "*.weight", "back\\slash", "line\nend", "'''", "it's\r\n'''\"", "\x1b[31m\u202e"};
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    recipe.layers.push_back(*rc::gen::arbitrary<bool>() ? LayerRule{*rc::gen::elementOf(names), any_weights()}
                                                        : LayerRule{*rc::gen::elementOf(names), recipe.weights, true});
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    recipe.tensors.push_back({*rc::gen::elementOf(names), any_activations()});
  return recipe;
}

bool same(const Recipe& a, const Recipe& b) {
  return a.weights == b.weights && a.activations == b.activations && a.weight_only == b.weight_only &&
         a.layers == b.layers && a.tensors == b.tensors && a.equalize == b.equalize && a.smooth == b.smooth && a.absorb_biases == b.absorb_biases &&
         a.svd == b.svd &&
         a.correct_bias == b.correct_bias && a.adaround_steps == b.adaround_steps && a.sum_bits == b.sum_bits && a.arithmetic == b.arithmetic;
}

RC_GTEST_PROP(RecipeFile, ReadsWhatItWrote, ()) {
  const Recipe recipe = any_recipe();
  const std::string text = to_toml(recipe);
  const Recipe again = recipe_from_toml(text, "r");
  RC_ASSERT(same(recipe, again));
  RC_ASSERT(to_toml(again) == text);
}

TEST(RecipeFile, OfNothingIsTheUsualRecipe) { EXPECT_TRUE(same(recipe_from_toml("", "r"), Recipe{})); }

TEST(RecipeFile, RulesStartFromTheirFile) {
  const Recipe recipe = recipe_from_toml(
      "[[layer]]\nname = \"a\"\nbits = 2\n[weights]\nbits = 4\nrange = \"mse\"\n[[tensor]]\nname = \"t\"\nbits = 16\n"
      "[activations]\nobserver = \"kl\"\n",
      "r");
  ASSERT_EQ(recipe.layers.size(), 1u);
  EXPECT_EQ(recipe.layers[0].weights.format.bits, 2);
  EXPECT_EQ(recipe.layers[0].weights.range, WeightRange::mean_squared_error);
  ASSERT_EQ(recipe.tensors.size(), 1u);
  EXPECT_EQ(recipe.tensors[0].activations.format.bits, 16);
  EXPECT_EQ(describe(recipe.tensors[0].activations.observer), "kl");
}

TEST(RecipeFile, ARuleMayKeepALayerFloat) {
  const Recipe recipe = recipe_from_toml("[[layer]]\nname = \"*\"\nfloat = true\n[[layer]]\nname = \"fc2\"\nbits = 4\n", "r");
  ASSERT_EQ(recipe.layers.size(), 2u);
  EXPECT_TRUE(recipe.layers[0].stays_float);
  EXPECT_FALSE(recipe.layers[1].stays_float);
  EXPECT_EQ(recipe.layers[1].weights.format.bits, 4);
  EXPECT_EQ(to_toml(Recipe{}).find("float ="), std::string::npos);  // a recipe without such a rule is written as it always was
}

std::string refusal(const std::string& text) {
  try {
    recipe_from_toml(text, "r.toml");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(RecipeFile, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(refusal("[weights]\nbits = 17"), "[r.toml] line 2: weights.bits got 17, expected 1 to 16");
  EXPECT_EQ(refusal("\n[weights]\nbitz = 4"), "[r.toml] line 3: weights.bitz is no setting");
  EXPECT_EQ(refusal("[methods]\nequalize = 1"),
            "[r.toml] line 2: methods.equalize is of another kind, expected true or false");
  EXPECT_EQ(refusal("[methods]\nsmooth = true"), "[r.toml] line 2: methods.smooth is of another kind, expected a number");
  EXPECT_EQ(refusal("[methods]\nsmooth = 1.5"), "[r.toml] smooth, got 1.5, expected 0 to 1");
  EXPECT_THAT(refusal("[methods]\nsmooth = nan"), HasSubstr("smooth, got nan"));
  EXPECT_THAT(refusal("[methods]\nsmooth = 1\nequalize = true"), HasSubstr("expected one of them"));
  EXPECT_THAT(refusal("[methods]\nsvd = 1.5"), HasSubstr("svd, got 1.5, expected a rank"));
  EXPECT_THAT(refusal("[methods]\nsvd = -1"), HasSubstr("svd, got -1"));
  EXPECT_EQ(refusal("[methods]\ncorrect_bias = true"),
            "[r.toml] line 2: methods.correct_bias is of another kind, expected a text");
  EXPECT_THAT(refusal("[methods]\ncorrect_bias = \"often\""), HasSubstr("none, measured, analytic"));
  EXPECT_THAT(refusal("[weights]\nrounding = \"up\""), HasSubstr("nearest, adaround, error-feedback"));
  EXPECT_THAT(refusal("[activations]\nobserver = \"median\""), HasSubstr("[r.toml] line 2: activations.observer"));
  EXPECT_THAT(refusal("[arithmetic]\nmode = \"exact\""), HasSubstr("line 2: arithmetic.mode"));
  EXPECT_THAT(refusal("[layer]\nbits = 4"), HasSubstr("[[layer]]"));
  EXPECT_THAT(refusal("weights = 4"), HasSubstr("line 1: weights is no table"));
  EXPECT_THAT(refusal("version = 2"), HasSubstr("version"));
  EXPECT_THAT(refusal("[colour]\n"), HasSubstr("colour is no part of a recipe"));
  EXPECT_EQ(refusal("[[layer]]\nname = \"a\"\nfloat = true\nbits = 4"), "[r.toml] line 4: layer.bits is no setting");
  EXPECT_EQ(refusal("[[layer]]\nname = \"a\"\nfloat = 1"), "[r.toml] line 3: layer.float is of another kind, expected true or false");
  EXPECT_THAT(refusal("[weights"), HasSubstr("[r.toml] line 1"));
  EXPECT_THAT(refusal("[activations]\nbits = 0"), HasSubstr("line 2: activations.bits got 0"));
  EXPECT_THAT(refusal("[arithmetic]\nrounding = \"up\""), HasSubstr("line 2: arithmetic.rounding"));
  EXPECT_THAT(refusal("[arithmetic]\nmode = \"onnx\"\nrounding = \"half_up\""), HasSubstr("half_even"));
  EXPECT_THAT(refusal("[arithmetic]\nrounding = \"floor\""), HasSubstr("rounding floor"));
  EXPECT_THAT(refusal("[weights]\nbias_bits = 20"), HasSubstr("biases of 20 bits"));
  EXPECT_THAT(refusal("[weights]\ncode = \"log2\"\nbits = 8"), HasSubstr("expected 2 to 5"));
  EXPECT_THAT(refusal("[weights]\ncode = \"kmeans\"\nrounding = \"adaround\""), HasSubstr("nearest entries of a table"));
  EXPECT_THAT(refusal("[arithmetic]\nmode = \"shift\""), HasSubstr("power-of-two"));
  EXPECT_THAT(refusal(std::string(100000, '[')), HasSubstr("[r.toml]"));
}

}  // namespace
}  // namespace halftone::quant
