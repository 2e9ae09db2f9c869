// float_engine_bench MODEL.onnx SHAPE SECONDS [--plain]: how long one run on one thread takes, as JSON in
// milliseconds. SHAPE as 1x3x224x224; --plain times the plain interpreter.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <random>
#include <string_view>
#include <vector>

#include "halftone/float_engine/executor.h"
#include "halftone/ir/interpreter.h"
#include "halftone/onnx_io/load.h"

namespace {

using namespace halftone;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

Shape parse_shape(std::string_view text) {
  Shape shape;
  while (!text.empty()) {
    std::int64_t dim = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), dim);
    if (error != std::errc() || dim < 1) throw std::invalid_argument("a shape is written 1x3x224x224");
    shape.push_back(dim);
    text.remove_prefix(std::min(static_cast<std::size_t>(end - text.data()) + 1, text.size()));
  }
  return shape;
}

Tensor random_input(const Shape& shape) {
  std::mt19937 random(1);
  Tensor tensor(DType::float32, shape);
  for (float& x : tensor.mutable_data<float>()) x = static_cast<float>(random() >> 8) * 0x1p-23F - 1.0F;
  return tensor;
}

void measure(const ir::Executor& network, const Tensor& input, double seconds) {
  const auto start = Clock::now();
  network.run({&input, 1});
  const double first = milliseconds(Clock::now() - start);
  // Runs too short for the clock are timed several at once.
  const auto warm = Clock::now();
  network.run({&input, 1});
  const int repeat = std::max(1, static_cast<int>(0.5 / std::max(1e-4, milliseconds(Clock::now() - warm))));
  std::vector<double> times;
  while (times.size() < 5 || milliseconds(Clock::now() - start) < 1000.0 * seconds) {
    const auto begin = Clock::now();
    for (int i = 0; i < repeat; ++i) network.run({&input, 1});
    times.push_back(milliseconds(Clock::now() - begin) / repeat);
  }
  std::ranges::sort(times);
  fmt::print("{{\"median_ms\": {:.4f}, \"min_ms\": {:.4f}, \"first_ms\": {:.3f}, \"runs\": {}}}\n",
             times[times.size() / 2], times[0], first, times.size() * static_cast<std::size_t>(repeat));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) {
    fmt::print(stderr, "usage: float_engine_bench MODEL.onnx SHAPE SECONDS [--plain]\n");
    return 2;
  }
  const ir::Graph graph = onnx_io::load_model(argv[1]);
  const Tensor input = random_input(parse_shape(argv[2]));
  const bool plain = argc > 4 && std::string_view(argv[4]) == "--plain";
  const std::unique_ptr<ir::Executor> network =
      plain ? std::make_unique<ir::Interpreter>(graph) : float_engine::make_executor(graph);
  measure(*network, input, std::stod(argv[3]));
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "float_engine_bench: {}\n", error.what());
  return 3;
}
