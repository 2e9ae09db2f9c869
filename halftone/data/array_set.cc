#include "halftone/data/array_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "halftone/base/error.h"
#include "halftone/base/shown.h"
#include "halftone/data/npy.h"
#include "halftone/data/npz_set.h"

namespace halftone::data {
namespace {

const StoredArray* find(const ArraySet& set, std::string_view name) {
  const auto at = std::ranges::find(set.arrays, name, &StoredArray::name);
  return at == set.arrays.end() ? nullptr : &*at;
}

// The part's array, or one that serves any part.
const StoredArray* find_part(const ArraySet& set, std::string_view name) {
  const StoredArray* own = find(set, fmt::format("{}_{}", name, name_of(set.part)));
  return own != nullptr || set.part_named ? own : find(set, name);
}

const StoredArray* find_input(const ArraySet& set, const std::string& name, bool only) {
  if (const StoredArray* own = find(set, name)) return own;
  if (!only) return nullptr;
  const StoredArray* x = find_part(set, "x");
  return x != nullptr ? x : find(set, "");
}

std::string describe(const ArraySet& set) {
  std::vector<std::string> names;
  for (const StoredArray& array : set.arrays) names.push_back(array.name.empty() ? "a single one" : shown(array.name));
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
    set.arrays = open_npz(source.name);
  else
    set.arrays.push_back(open_npy(source.name));
  return set;
}

std::vector<StoredArray> inputs_from(const ArraySet& set, const std::vector<std::string>& names) {
  std::vector<StoredArray> inputs;
  for (const std::string& name : names) {
    const StoredArray* array = find_input(set, name, names.size() == 1);
    if (array == nullptr)
      throw InputError(
          set.where, fmt::format("no array '{}', got {}, expected one for each input: {}{}", name,
                                 describe(set), fmt::join(names, ", "), names.size() == 1 ? " (or x)" : ""));
    if (array->shape.empty() || element_count(array->shape, set.where) == 0)
      throw InputError(set.where, fmt::format("no samples: array for '{}' of shape {}, expected a row for each",
                                              name, to_string(array->shape)));
    inputs.push_back(*array);
  }
  return inputs;
}

Labels labels_from(const ArraySet& set, const std::vector<std::string>& names, std::int64_t rows) {
  Labels labels;
  const StoredArray* own = find_part(set, "y");
  if (own == nullptr || std::ranges::count(names, "y") > 0) return labels;
  if (own->shape.empty() || own->shape[0] != rows)
    throw InputError(set.where, fmt::format("number of labels, got {}, expected {} (one a row)", to_string(own->shape), rows));
  labels.values = labels_of(*own, set.where);
  for (std::string_view name : {"y", "y_train", "y_test"})
    if (const StoredArray* y = find(set, name))
      for (std::int32_t label : labels_of(*y, set.where))
        labels.classes = std::max(labels.classes, label + 1);
  return labels;
}

}  // namespace halftone::data
