// One run of the fuzzer on its bytes, and of the tests on the corpus it left.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "halftone/base/error.h"
#include "halftone/ir/infer.h"
#include "halftone/ir/interpreter.h"
#include "halftone/onnx_io/load.h"
#include "halftone/onnx_io/save.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/lower/lower.h"

namespace halftone::fuzz {

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// The product of the sizes, or `most` + 1 when it is more; a free one counts as one.
inline std::int64_t count_up_to(std::int64_t most, const std::vector<std::int64_t>& sizes) {
  std::int64_t count = 1;
  for (std::int64_t size : sizes)
    count = std::min(count * std::min(std::max<std::int64_t>(size, 1), most + 1), most + 1);
  return count;
}

// So small that running it takes no time, whatever its windows are.
inline bool is_tiny(const ir::Graph& graph) {
  constexpr std::int64_t kMost = 512;
  std::int64_t elements = 0;
  for (const ir::Value& value : graph.values) elements += count_up_to(kMost, value.shape);
  std::int64_t taps = 1;
  for (const ir::Node& node : graph.nodes) {
    if (const auto* op = std::get_if<ir::MaxPool>(&node.op))
      taps = std::max(taps, count_up_to(kMost, op->window.kernel));
    if (const auto* op = std::get_if<ir::AveragePool>(&node.op))
      taps = std::max(taps, count_up_to(kMost, op->window.kernel));
  }
  return elements <= kMost && taps <= kMost && graph.nodes.size() <= 64;
}

inline void run(const ir::Graph& graph) {
  std::vector<Tensor> inputs;
  for (ir::ValueId id : graph.inputs) {
    Shape shape = graph.value(id).shape;
    for (std::int64_t& dim : shape) dim = dim == kDynamic ? 1 : dim;
    inputs.emplace_back(graph.value(id).dtype, shape);
  }
  try {
    ir::Interpreter(graph).run(inputs);
    if (lower::is_quantized(graph)) qgraph::Interpreter(lower::lower(graph)).run(inputs);
  } catch (const Error&) {
  }
}

// The bytes are refused with an Error, or they are a graph that is well formed, written, read again and then
// written as the same bytes; a tiny one also runs. Anything else ends the program.
inline void import_once(std::span<const std::byte> bytes) {
  std::string once;
  try {
    const ir::Graph graph = onnx_io::parse_model(bytes, "fuzz");
    once = onnx_io::serialize_model(graph);
    if (is_tiny(graph)) run(graph);
  } catch (const Error&) {
    return;
  }
  try {
    const ir::Graph again = onnx_io::parse_model(std::as_bytes(std::span(once)), "fuzz");
    if (onnx_io::serialize_model(again) != once) fail("written, read and written again it differs");
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    fail("what was written can't be read");
  }
}

}  // namespace halftone::fuzz
