// Writes a model of every op into a directory, for check_with_onnx.py.
#include <cstdio>
#include <exception>

#include "halftone/onnx_io/save.h"
#include "tests/onnx_io/every_op.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: onnx_io_samples DIRECTORY\n", stderr);
    return 2;
  }
  try {
    const std::filesystem::path directory = argv[1];
    std::filesystem::create_directories(directory);
    for (const auto& [name, graph] : halftone::onnx_io::graphs_of_every_op(false))
      halftone::onnx_io::save_model(graph, directory / (name + ".onnx"));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
