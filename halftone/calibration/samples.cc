#include "halftone/calibration/samples.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/base/exact_cast.h"

namespace halftone::calibration {
namespace {

bool are_pixels(const SampledInput& input) {
  return input.rows.dtype() == DType::uint8 && input.dtype == DType::float32;
}

// Whether `dims` from `skip` on are those of the input from `from` on; kDynamic fits any.
bool ends_alike(const Shape& dims, std::size_t skip, const Shape& input, std::size_t from) {
  if (dims.size() < skip || input.size() < from || dims.size() - skip != input.size() - from) return false;
  return std::equal(input.begin() + static_cast<std::ptrdiff_t>(from), input.end(),
                    dims.begin() + static_cast<std::ptrdiff_t>(skip),
                    [](std::int64_t want, std::int64_t got) { return want == kDynamic || want == got; });
}

struct Fitted {
  Shape shape;  // of the rows, their channel added where it was left out
  bool whole = false;
};

Fitted fitted(const ir::Value& input, Shape rows) {
  const Shape& shape = input.shape;
  // Pictures of one channel are often kept without it.
  if (rows.size() >= 2 && rows.size() + 1 == shape.size() && shape[1] == 1) rows.insert(rows.begin() + 1, 1);
  if (!rows.empty() && !shape.empty() && ends_alike(rows, 1, shape, 1)) return {rows, false};
  if (!rows.empty() && ends_alike(rows, 1, shape, 0)) return {rows, true};
  throw InputError(fmt::format("input '{}'", input.name),
                   fmt::format("array of shape {}, expected rows of {}", to_string(rows), to_string(shape)));
}

void expect_rows(const ir::Graph& graph, std::size_t input, std::int64_t rows, std::int64_t of_first) {
  if (rows == of_first) return;
  throw InputError(fmt::format("input '{}'", graph.value(graph.inputs.at(input)).name),
                   fmt::format("{} rows, expected {} as input '{}' has", rows, of_first,
                               graph.value(graph.inputs.at(0)).name));
}

// How many rows a run has to have, and that all inputs agree on it.
std::optional<std::int64_t> fixed_batch_of(const ir::Graph& graph, const std::vector<SampledInput>& inputs) {
  std::optional<std::int64_t> batch;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& shape = graph.value(graph.inputs[i]).shape;
    if (!inputs[i].whole && shape[0] == kDynamic) continue;
    const std::int64_t own = inputs[i].whole ? 1 : shape[0];
    if (own < 1 || batch.value_or(own) != own)
      throw InputError(
          fmt::format("input '{}'", inputs[i].name),
          fmt::format("takes {} samples a run, expected {} as the inputs before it", own, batch.value_or(1)));
    batch = own;
  }
  return batch;
}

Tensor chosen_rows(const Tensor& rows, const std::vector<std::int64_t>& chosen) {
  Shape shape = rows.shape();
  shape[0] = static_cast<std::int64_t>(chosen.size());
  Tensor result(rows.dtype(), shape);
  const std::size_t row_bytes = rows.byte_size() / static_cast<std::size_t>(std::max<std::int64_t>(rows.dim(0), 1));
  std::byte* out = result.mutable_bytes().data();
  for (std::int64_t row : chosen) {
    std::ranges::copy(rows.bytes().subspan(static_cast<std::size_t>(row) * row_bytes, row_bytes), out);
    out += row_bytes;
  }
  return result;
}

}  // namespace

bool Samples::has_pixels() const { return std::ranges::any_of(inputs, are_pixels); }

std::vector<Tensor> Samples::rows(std::int64_t first, std::int64_t last) const {
  std::vector<Tensor> result;
  for (const SampledInput& input : inputs) {
    Tensor part = input.rows.rows(first, last);
    part = are_pixels(input) ? data::apply(preprocessing, part)
                             : exact_cast(part, input.dtype, fmt::format("input '{}'", input.name));
    if (input.whole) part = part.reshaped({part.shape().begin() + 1, part.shape().end()});
    result.push_back(std::move(part));
  }
  return result;
}

Samples samples_of(const data::Dataset& dataset, const data::Preprocessing& preprocessing) {
  return {.name = dataset.name,
          .inputs = {{.name = "images", .rows = dataset.images}},
          .preprocessing = preprocessing,
          .labels = dataset.labels,
          .classes = dataset.classes};
}

void expect_samples_for(const ir::Graph& graph, const std::vector<Shape>& arrays) {
  for (std::size_t i = 0; i < arrays.size(); ++i) fitted(graph.value(graph.inputs.at(i)), arrays[i]);
  for (std::size_t i = 0; i < arrays.size(); ++i) expect_rows(graph, i, arrays[i][0], arrays[0][0]);
}

Samples samples_for(const ir::Graph& graph, std::vector<Tensor> arrays) {
  Samples samples;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const ir::Value& input = graph.value(graph.inputs.at(i));
    const Fitted fit = fitted(input, arrays[i].shape());
    samples.inputs.push_back({input.name, arrays[i].reshaped(fit.shape), input.dtype, fit.whole});
  }
  for (std::size_t i = 0; i < samples.inputs.size(); ++i)
    expect_rows(graph, i, samples.inputs[i].rows.dim(0), samples.size());
  samples.fixed_batch = fixed_batch_of(graph, samples.inputs);
  return samples;
}

Samples sample(Samples samples, std::int64_t count) {
  const std::int64_t size = samples.size();
  if (count >= size) return samples;
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < count && !samples.labels.empty(); ++i)
    labels.push_back(samples.labels[static_cast<std::size_t>(i * size / count)]);
  samples.labels = std::move(labels);
  for (SampledInput& input : samples.inputs) input.rows = data::sample_rows(input.rows, count);
  return samples;
}

Samples left_by_sample(const Samples& samples, std::int64_t count) {
  const std::int64_t size = samples.size();
  count = std::clamp<std::int64_t>(count, 0, size);
  std::vector<std::int64_t> left;
  for (std::int64_t row = 0, taken = 0; row < size; ++row)
    if (taken < count && row == taken * size / count)
      ++taken;
    else
      left.push_back(row);
  Samples result = samples;
  for (SampledInput& input : result.inputs) input.rows = chosen_rows(input.rows, left);
  result.labels.clear();
  for (std::int64_t row : left)
    if (!samples.labels.empty()) result.labels.push_back(samples.labels[static_cast<std::size_t>(row)]);
  return result;
}

}  // namespace halftone::calibration
