#include "halftone/data/npz_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/data/npz.h"

namespace halftone::data {
namespace {

constexpr std::int64_t kMaxClasses = std::int64_t{1} << 20;

using StoredArrays = std::vector<StoredArray>;

const StoredArray* find(const StoredArrays& entries, std::string_view name) {
  const auto at = std::ranges::find(entries, name, &StoredArray::name);
  return at == entries.end() ? nullptr : &*at;
}

void expect_images(const StoredArray& x, std::string_view where) {
  if (x.dtype != DType::uint8 && x.dtype != DType::float32)
    throw UnsupportedError(where, fmt::format("images, got {}, expected uint8 or float32", name_of(x.dtype)));
  if (x.shape.size() < 2 || x.shape.size() > 4 || element_count(x.shape, where) == 0)
    throw InputError(where,
                     fmt::format("images, got shape {}, expected [N,F], [N,H,W] or [N,C,H,W] of at least one",
                                 to_string(x.shape)));
}

int count_classes(const StoredArrays& entries, std::string_view where) {
  std::int32_t largest = 0;
  for (std::string_view name : {"y", "y_train", "y_test"})
    if (const StoredArray* y = find(entries, name))
      for (std::int32_t label : labels_of(*y, where)) largest = std::max(largest, label);
  return largest + 1;
}

}  // namespace

std::vector<std::int32_t> labels_of(const StoredArray& y, std::string_view where) {
  const bool is_column = y.shape.size() == 2 && y.shape[1] == 1;
  if (is_float(y.dtype) || (y.shape.size() != 1 && !is_column))
    throw InputError(where, fmt::format("labels, got {} {}, expected integers [N]", name_of(y.dtype),
                                        to_string(y.shape)));
  if (y.shape[0] > kMostLabels)
    throw InputError(where, fmt::format("{} labels, expected at most {}", y.shape[0], kMostLabels));
  const Tensor wide = y.read().cast(DType::int64);
  std::vector<std::int32_t> labels;
  for (std::int64_t label : wide.data<std::int64_t>()) {
    if (label < 0 || label >= kMaxClasses)
      throw InputError(where, fmt::format("label, got {}, expected 0 to {}", label, kMaxClasses - 1));
    labels.push_back(static_cast<std::int32_t>(label));
  }
  return labels;
}

Dataset read_npz_set(const std::filesystem::path& path, Part part, bool part_named) {
  const std::string where = path.string();
  const StoredArrays entries = open_npz(path);
  std::string suffix = fmt::format("_{}", name_of(part));
  if (!part_named && find(entries, "x" + suffix) == nullptr && find(entries, "x") != nullptr) suffix.clear();
  const StoredArray* x = find(entries, "x" + suffix);
  const StoredArray* y = find(entries, "y" + suffix);
  if (x == nullptr || y == nullptr)
    throw InputError(where, fmt::format("arrays, got no x{0} and y{0}{1}", suffix,
                                        part_named ? "" : ", expected these or x and y"));
  expect_images(*x, where);
  if (!y->shape.empty() && y->shape[0] != x->shape[0])
    throw InputError(where, fmt::format("number of labels, got {}, expected {} (one an image)", y->shape[0], x->shape[0]));
  Dataset dataset{.name = path.stem().string(),
                  .images = x->read(),
                  .labels = labels_of(*y, where),
                  .classes = count_classes(entries, where)};
  const Shape& shape = x->shape;
  if (shape.size() == 3) dataset.images = dataset.images.reshaped({shape[0], 1, shape[1], shape[2]});
  check(dataset, where);
  return dataset;
}

}  // namespace halftone::data
