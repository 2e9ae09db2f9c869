// float_engine_bench MODEL.onnx SHAPE SECONDS [--plain]: how long one run on one thread takes, as JSON in
// milliseconds. SHAPE as 1x3x224x224; --plain times the plain interpreter.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string_view>
#include <vector>

#include "bench/random_input.h"
#include "halftone/float_engine/executor.h"
#include "halftone/ir/interpreter.h"
#include "halftone/onnx_io/load.h"

namespace {

using namespace halftone;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

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
