#include "halftone/data/npz_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/data/npz.h"

namespace halftone::data {
namespace {

constexpr std::int64_t kMaxClasses = std::int64_t{1} << 20;

const Tensor* find(const NamedTensors& entries, std::string_view name) {
  for (const auto& [entry_name, tensor] : entries)
    if (entry_name == name) return &tensor;
  return nullptr;
}

Tensor images_of(const Tensor& x, std::string_view where) {
  if (x.dtype() != DType::uint8 && x.dtype() != DType::float32)
    throw UnsupportedError(where,
                           fmt::format("images, got {}, expected uint8 or float32", name_of(x.dtype())));
  if (x.rank() < 2 || x.rank() > 4 || x.size() == 0)
    throw InputError(where,
                     fmt::format("images, got shape {}, expected [N,F], [N,H,W] or [N,C,H,W] of at least one",
                                 to_string(x.shape())));
  return x.rank() == 3 ? x.reshaped({x.dim(0), 1, x.dim(1), x.dim(2)}) : x;
}

int count_classes(const NamedTensors& entries, std::string_view where) {
  std::int32_t largest = 0;
  for (std::string_view name : {"y", "y_train", "y_test"})
    if (const Tensor* y = find(entries, name))
      for (std::int32_t label : labels_of(*y, where)) largest = std::max(largest, label);
  return largest + 1;
}

}  // namespace

std::vector<std::int32_t> labels_of(const Tensor& y, std::string_view where) {
  const bool is_column = y.rank() == 2 && y.dim(1) == 1;
  if (is_float(y.dtype()) || (y.rank() != 1 && !is_column))
    throw InputError(where, fmt::format("labels, got {} {}, expected integers [N]", name_of(y.dtype()),
                                        to_string(y.shape())));
  const Tensor wide = y.cast(DType::int64);
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
  const NamedTensors entries = read_npz(path);
  std::string suffix = fmt::format("_{}", name_of(part));
  if (!part_named && find(entries, "x" + suffix) == nullptr && find(entries, "x") != nullptr) suffix.clear();
  const Tensor* x = find(entries, "x" + suffix);
  const Tensor* y = find(entries, "y" + suffix);
  if (x == nullptr || y == nullptr)
    throw InputError(where, fmt::format("arrays, got no x{0} and y{0}{1}", suffix,
                                        part_named ? "" : ", expected these or x and y"));
  Dataset dataset{.name = path.stem().string(),
                  .images = images_of(*x, where),
                  .labels = labels_of(*y, where),
                  .classes = count_classes(entries, where)};
  check(dataset, where);
  return dataset;
}

}  // namespace halftone::data
