// Samples as arrays by name, for networks with any inputs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "halftone/data/load.h"
#include "halftone/data/npz.h"

namespace halftone::data {

struct ArraySet {
  std::string where;  // the file, for messages
  std::vector<StoredArray> arrays;
  Part part = Part::test;
  bool part_named = false;  // by the user: then arrays without it do not serve
};

struct Labels {
  std::vector<std::int32_t> values;  // empty: the set has none
  int classes = 0;
};

// Whether `spec` (PATH, PATH:train or PATH:test) names a .npz or .npy file.
bool is_array_file(std::string_view spec);

// Throws as open_npz and open_npy do.
ArraySet read_array_set(std::string_view spec, Part default_part);

// The arrays of these names; for a single name also x_train or x_test, x, or the array of a .npy file. Throws
// InputError listing the names when one is missing, and for an array without rows.
std::vector<StoredArray> inputs_from(const ArraySet& set, const std::vector<std::string>& names);

// The integers of y_train or y_test, or of y, counting the classes of all three, for so many rows. Throws InputError when
// they are no labels, or not one a row. Names of inputs are none.
Labels labels_from(const ArraySet& set, const std::vector<std::string>& names, std::int64_t rows);

}  // namespace halftone::data
