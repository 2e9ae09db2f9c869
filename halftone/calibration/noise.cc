#include "halftone/calibration/noise.h"

#include <fmt/format.h>

#include <random>
#include <set>

#include "halftone/base/error.h"
#include "halftone/base/standard_normal.h"

namespace halftone::calibration {
namespace {

float number(DType dtype, std::mt19937_64& random) {
  if (is_float(dtype)) return standard_normal(random);
  const auto byte = static_cast<int>(random() >> 56);
  if (dtype == DType::uint8) return static_cast<float>(byte);
  return dtype == DType::int8 ? static_cast<float>(byte - 128) : static_cast<float>(byte >> 7);
}

Tensor noise(DType dtype, const Shape& shape, std::mt19937_64 random) {
  Tensor numbers(DType::float32, shape);
  for (float& each : numbers.mutable_data<float>()) each = number(dtype, random);
  return numbers.cast(dtype);
}

bool fixes_rows(const ir::Value& input) { return !input.shape.empty() && input.shape[0] != kDynamic; }

// Whether all inputs that fix the number of rows of a run say the same.
bool agree_on_rows(const ir::Graph& graph) {
  std::set<std::int64_t> numbers;
  for (ir::ValueId id : graph.inputs)
    if (fixes_rows(graph.value(id))) numbers.insert(graph.value(id).shape[0]);
  return numbers.size() < 2;
}

Shape shape_of(const ir::Value& input, std::int64_t rows, bool whole) {
  Shape shape = input.shape;
  if (shape.empty() || (whole && fixes_rows(input)))
    shape.insert(shape.begin(), rows);
  else
    shape[0] = rows;
  if (!is_static(shape))
    throw InputError(fmt::format("input '{}'", input.name),
                     fmt::format("noise in shape {}, expected sizes that are known but for the first", to_string(input.shape)), Remedy::give_shapes);
  return shape;
}

}  // namespace

std::vector<data::StoredArray> noise_for(const ir::Graph& graph, std::int64_t rows, std::uint64_t seed) {
  const bool whole = !agree_on_rows(graph);
  std::vector<data::StoredArray> arrays;
  for (ir::ValueId id : graph.inputs) {
    const ir::Value& input = graph.value(id);
    const Shape shape = shape_of(input, rows, whole);
    const std::mt19937_64 random(seed << 32 | arrays.size());
    arrays.push_back({input.name, input.dtype, shape, [dtype = input.dtype, shape, random] { return noise(dtype, shape, random); }});
  }
  return arrays;
}

}  // namespace halftone::calibration
