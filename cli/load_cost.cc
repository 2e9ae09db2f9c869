#include "cli/load_cost.h"

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

namespace halftone::cli {
namespace {

// Bytes of a line of /proc/self/status, as "VmRSS:    12345 kB"; 0 where it is missing.
double status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(name + ":")) continue;
    double kilobytes = 0.0;
    std::istringstream(line.substr(name.size() + 1)) >> kilobytes;
    return kilobytes * 1024.0;
  }
  return 0.0;
}

LoadCost measure(const std::string& path, const onnx_io::InputShapes& shapes, const EngineSettings& settings) {
  const double before = status_bytes("VmRSS");
  const auto start = std::chrono::steady_clock::now();
  const ModelFile model = load_model_file(path, shapes);
  EngineRun run(model, settings);
  run();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return {taken.count(), status_bytes("VmRSS") - before, status_bytes("VmHWM") - before};
}

[[noreturn]] void measure_and_tell(int to, const std::string& path, const onnx_io::InputShapes& shapes, const EngineSettings& settings) {
  try {
    const LoadCost cost = measure(path, shapes, settings);
    if (write(to, &cost, sizeof(cost)) == static_cast<ssize_t>(sizeof(cost))) _exit(0);
  } catch (...) {  // the process that waits meets it too, and tells
  }
  _exit(1);
}

}  // namespace

std::optional<LoadCost> load_cost(const std::string& path, const onnx_io::InputShapes& shapes, const EngineSettings& settings) {
  int ends[2] = {};
  if (pipe(ends) != 0) return std::nullopt;
  malloc_trim(0);  // memory that is free here would hide growth
  const pid_t child = fork();
  if (child == 0) measure_and_tell(ends[1], path, shapes, settings);
  close(ends[1]);
  LoadCost cost;
  const bool told = child > 0 && read(ends[0], &cost, sizeof(cost)) == static_cast<ssize_t>(sizeof(cost));
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  return told ? std::optional(cost) : std::nullopt;
}

}  // namespace halftone::cli
