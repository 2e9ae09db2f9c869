// Training sees what will run, layer by layer, in the networks that are built in; long/ has trained ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "halftone/data/digits.h"
#include "halftone/data/preprocessing.h"
#include "halftone/models/build.h"
#include "tests/qat/layer_judge.h"

namespace halftone::qat {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

Tensor rows_for(const std::string& name) {
  if (name == "mlp") return data::apply(data::preset("mnist"), data::make_digits(data::Part::train, 16).images);
  return data::apply(data::preset("cifar10"), noise({4, 3, 32, 32}));
}

class BuiltInLayers : public testing::TestWithParam<std::string> {};

TEST_P(BuiltInLayers, AreWhatWillRun) {
  const ir::Graph model = models::build(GetParam(), 1, {.classes = 10});
  for (const std::string bits : {"w4a4", "w8a8", "w2a2", "w1a8"}) EXPECT_THAT(compare_layers(GetParam(), bits, model, rows_for(GetParam())).faults, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Networks, BuiltInLayers, testing::Values("mlp", "lenet", "lenet-bias"), [](const auto& network) {
  std::string name = network.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

// The comparison finds what a training loop may well get wrong.
TEST(Layers, DifferencesThatAreNoTiesAreFound) {
  const Tensor rows = rows_for("lenet-bias");
  const ptq::Result made = quantized_for_finetuning(models::build("lenet-bias", 1, {.classes = 10}), "w4a4", rows);
  const auto faults_with = [&](const auto& damage) {
    quant::Parameters seen = made.parameters;
    damage(seen);
    return compare_layers(made, seen, rows).faults;
  };
  const auto layer_of = [](quant::Parameters& seen) -> quant::QuantizedWeights& {
    return **std::ranges::find_if(seen.weights, [](const auto& w) { return w && !w->bias.empty(); });
  };
  const auto format_of = [](quant::Parameters& seen, int bits) -> quant::ActivationParams& {
    return **std::ranges::find_if(seen.activations, [&](const auto& a) { return a && a->format.bits == bits; });
  };
  EXPECT_THAT(faults_with([](auto&) {}), IsEmpty());
  EXPECT_THAT(faults_with([&](auto& seen) { layer_of(seen).bias[0] += 1; }), Contains(HasSubstr("no ties")));
  EXPECT_THAT(faults_with([&](auto& seen) {
                quant::QuantizedWeights& weights = layer_of(seen);
                std::vector<std::int32_t> q = numeric::to_int32(weights.q);
                q[0] += q[0] > 0 ? -1 : 1;
                weights.q = numeric::from_int32(weights.q.shape(), q, weights.q.dtype());
              }),
              Contains(HasSubstr("no ties")));
  EXPECT_THAT(faults_with([&](auto& seen) { format_of(seen, 16).affine.scale *= 1.001F; }), Contains(HasSubstr("another length")));
  EXPECT_THAT(faults_with([&](auto& seen) { format_of(seen, 4).format.bits = 5; }), Contains(HasSubstr("differ")));
}

}  // namespace
}  // namespace halftone::qat
