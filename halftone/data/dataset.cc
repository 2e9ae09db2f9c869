#include "halftone/data/dataset.h"

#include <fmt/format.h>

#include <cstring>

#include "halftone/base/error.h"

namespace halftone::data {
namespace {

void expect_positive(std::int64_t count) {
  if (count < 1)
    throw UsageError("dataset", fmt::format("number of rows, got {}, expected at least 1", count));
}

}  // namespace

std::string_view name_of(Part part) { return part == Part::train ? "train" : "test"; }

void check(const Dataset& dataset, std::string_view where) {
  if (dataset.images.rank() < 2)
    throw InputError(where, fmt::format("images, got shape {}, expected at least 2 dimensions",
                                        to_string(dataset.images.shape())));
  if (dataset.images.dim(0) != dataset.size())
    throw InputError(where, fmt::format("number of labels, got {}, expected {} (one an image)",
                                        dataset.size(), dataset.images.dim(0)));
  for (std::size_t i = 0; i < dataset.labels.size(); ++i)
    if (dataset.labels[i] < 0 || dataset.labels[i] >= dataset.classes)
      throw InputError(where, fmt::format("label of row {}, got {}, expected 0 to {}", i, dataset.labels[i],
                                          dataset.classes - 1));
}

Dataset first(const Dataset& dataset, std::int64_t count) {
  expect_positive(count);
  if (count >= dataset.size()) return dataset;
  return {.name = dataset.name,
          .images = dataset.images.rows(0, count),
          .labels = {dataset.labels.begin(), dataset.labels.begin() + count},
          .classes = dataset.classes};
}

Tensor sample_rows(const Tensor& rows, std::int64_t count) {
  expect_positive(count);
  const std::int64_t size = rows.dim(0);
  if (count >= size) return rows;
  Shape shape = rows.shape();
  shape[0] = count;
  Tensor result(rows.dtype(), shape);
  const std::size_t row_bytes = rows.byte_size() / static_cast<std::size_t>(size);
  std::byte* out = result.mutable_bytes().data();
  for (std::int64_t i = 0; i < count && row_bytes > 0; ++i, out += row_bytes)
    std::memcpy(out, rows.bytes().data() + static_cast<std::size_t>(i * size / count) * row_bytes, row_bytes);
  return result;
}

Dataset sample(const Dataset& dataset, std::int64_t count) {
  expect_positive(count);
  const std::int64_t size = dataset.size();
  if (count >= size) return dataset;
  Dataset result{dataset.name, sample_rows(dataset.images, count), {}, dataset.classes};
  for (std::int64_t i = 0; i < count; ++i)
    result.labels.push_back(dataset.labels[static_cast<std::size_t>(i * size / count)]);
  return result;
}

std::vector<std::int64_t> class_counts(const Dataset& dataset) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(dataset.classes));
  for (std::int32_t label : dataset.labels) ++counts.at(static_cast<std::size_t>(label));
  return counts;
}

}  // namespace halftone::data
