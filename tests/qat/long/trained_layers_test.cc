// Training sees what will run, layer by layer, in trained networks: those of $HALFTONE_DATA/models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "halftone/data/load.h"
#include "halftone/data/preprocessing.h"
#include "halftone/onnx_io/load.h"
#include "tests/qat/layer_judge.h"

namespace halftone::qat {
namespace {

using testing::IsEmpty;

struct Network {
  std::string file;
  std::string preset;
  Shape noise;  // instead of pictures; empty: the first of CIFAR-10
  std::vector<std::string> bits;
};

void PrintTo(const Network& network, std::ostream* out) { *out << network.file; }

class TrainedLayers : public testing::TestWithParam<Network> {};

TEST_P(TrainedLayers, AreWhatWillRun) {
  const Network& network = GetParam();
  const char* data = std::getenv("HALFTONE_DATA");
  if (data == nullptr || *data == '\0') GTEST_SKIP() << "skipped: HALFTONE_DATA is not set";
  const std::filesystem::path path = std::filesystem::path(data) / "models" / network.file;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "skipped: no " << path.string();
  if (network.noise.empty() && !data::available("cifar10:train")) GTEST_SKIP() << "skipped: no cifar10 in $HALFTONE_DATA";
  const Tensor pixels = network.noise.empty() ? data::first(data::load("cifar10:train", data::Part::train), 8).images : noise(network.noise);
  const ir::Graph model = onnx_io::load_model(path);
  for (const std::string& bits : network.bits)
    EXPECT_THAT(compare_layers(network.file, bits, model, data::apply(data::preset(network.preset), pixels)).faults, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Networks, TrainedLayers,
                         testing::Values(Network{"cifar10_resnet8_mlperf_tiny.onnx", "raw", {}, {"w4a4", "w8a8"}},
                                         Network{"cifar10_resnet20.onnx", "imagenet", {}, {"w4a4", "w8a8"}},
                                         Network{"imagenet_mobilenetv2_float.onnx.gz", "tf", {2, 3, 224, 224}, {"w4a4"}}),
                         [](const auto& each) { return each.param.file.substr(0, each.param.file.find('.')); });

}  // namespace
}  // namespace halftone::qat
