#include "halftone/data/array_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "halftone/base/error.h"
#include "halftone/data/npy.h"
#include "halftone/data/npz_set.h"

namespace halftone::data {
namespace {

const Tensor* find(const ArraySet& set, std::string_view name) {
  for (const auto& [own, tensor] : set.arrays)
    if (own == name) return &tensor;
  return nullptr;
}

// The part's array, or one that serves any part.
const Tensor* find_part(const ArraySet& set, std::string_view name) {
  const Tensor* own = find(set, fmt::format("{}_{}", name, name_of(set.part)));
  return own != nullptr || set.part_named ? own : find(set, name);
}

const Tensor* find_input(const ArraySet& set, const std::string& name, bool only) {
  if (const Tensor* own = find(set, name)) return own;
  if (!only) return nullptr;
  const Tensor* x = find_part(set, "x");
  return x != nullptr ? x : find(set, "");
}

std::string describe(const ArraySet& set) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : set.arrays) names.push_back(name.empty() ? "a single one" : name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

bool is_array_file(std::string_view spec) {
  const std::string extension = std::filesystem::path(parse_source(spec).name).extension().string();
  return extension == ".npz" || extension == ".npy";
}

ArraySet read_array_set(std::string_view spec, Part default_part) {
  const Source source = parse_source(spec);
  ArraySet set{.where = source.name,
               .arrays = {},
               .part = source.part.value_or(default_part),
               .part_named = source.part.has_value()};
  if (std::filesystem::path(source.name).extension() == ".npz")
    set.arrays = read_npz(source.name);
  else
    set.arrays.emplace_back("", read_npy(source.name));
  return set;
}

std::vector<Tensor> inputs_from(const ArraySet& set, const std::vector<std::string>& names) {
  std::vector<Tensor> inputs;
  for (const std::string& name : names) {
    const Tensor* array = find_input(set, name, names.size() == 1);
    if (array == nullptr)
      throw InputError(
          set.where, fmt::format("no array '{}', got {}, expected one for each input: {}{}", name,
                                 describe(set), fmt::join(names, ", "), names.size() == 1 ? " (or x)" : ""));
    if (array->rank() == 0 || array->size() == 0)
      throw InputError(set.where, fmt::format("no samples: array for '{}' of shape {}, expected a row for each",
                                              name, to_string(array->shape())));
    inputs.push_back(*array);
  }
  return inputs;
}

Labels labels_from(const ArraySet& set, const std::vector<std::string>& names) {
  Labels labels;
  const Tensor* own = find_part(set, "y");
  if (own == nullptr || std::ranges::count(names, "y") > 0) return labels;
  labels.values = labels_of(*own, set.where);
  for (std::string_view name : {"y", "y_train", "y_test"})
    if (const Tensor* y = find(set, name))
      for (std::int32_t label : labels_of(*y, set.where))
        labels.classes = std::max(labels.classes, label + 1);
  return labels;
}

}  // namespace halftone::data
