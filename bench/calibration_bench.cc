// calibration_bench MODEL.onnx SHAPE SAMPLES: what calibrating costs beside the float passes that it rides
// on, one thread, a sample at a time, for every observer: the median of five ratios, each to the passes just
// before. SHAPE of one sample, as 1x3x224x224.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "bench/random_input.h"
#include "halftone/float_engine/executor.h"
#include "halftone/onnx_io/load.h"
#include "halftone/passes/pass.h"
#include "halftone/calibration/calibrate.h"
#include "halftone/quant/ranges.h"

namespace {

using namespace halftone;
using Clock = std::chrono::steady_clock;
constexpr int kRounds = 5;

std::vector<Tensor> random_samples(const Shape& shape, int count) {
  std::vector<Tensor> samples;
  for (int i = 0; i < count; ++i) samples.push_back(random_input(shape, static_cast<unsigned>(i)));
  return samples;
}

template <typename Work>
double seconds(Work&& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> numbers) {
  std::ranges::sort(numbers);
  return numbers[numbers.size() / 2];
}

void measure(const ir::Graph& graph, const std::vector<Tensor>& samples) {
  const auto network = float_engine::make_executor(graph);
  const ir::Graph observed = quant::observed(graph);
  const auto watched = float_engine::make_executor(observed);
  const std::vector<std::string> names = calibration::output_names(observed);
  const calibration::SampleSource source{.count = static_cast<std::int64_t>(samples.size()),
                                   .inputs = [&](std::int64_t first, std::int64_t) {
                                     return std::vector<Tensor>{samples[static_cast<std::size_t>(first)]};
                                   }};
  const auto forward = [&] {
    for (const Tensor& sample : samples) network->run({&sample, 1});
  };
  const auto calibrate = [&](const calibration::Observer& observer) {
    quant::Recipe recipe;
    recipe.activations.observer = {&observer, observer.usual};
    quant::choose_ranges(graph, calibration::calibrate(*watched, names, source, {.batch_size = 1, .threads = 1}),
                         recipe);
  };
  forward();
  std::vector<double> passes;
  std::map<std::string, std::vector<double>> ratios;
  for (int round = 0; round < kRounds; ++round)
    for (const calibration::Observer& observer : calibration::observers()) {
      passes.push_back(seconds(forward));
      ratios[std::string(observer.name)].push_back(seconds([&] { calibrate(observer); }) / passes.back());
    }
  fmt::print("{{\"samples\": {}, \"forward_s\": {:.4f}", samples.size(), median(passes));
  for (const auto& [name, found] : ratios) fmt::print(", \"{}\": {:.3f}", name, median(found));
  fmt::print("}}\n");
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw std::invalid_argument("usage: calibration_bench MODEL.onnx SHAPE SAMPLES");
  const Shape shape = parse_shape(argv[2]);
  const ir::Graph graph = passes::simplify(onnx_io::load_model(argv[1]));
  measure(graph, random_samples(shape, std::stoi(argv[3])));
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
