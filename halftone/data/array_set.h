// Samples as arrays by name, for networks with any inputs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "halftone/data/load.h"
#include "halftone/data/npz.h"

namespace halftone::data {

struct ArraySet {
  std::string where;    // the file, for messages
  NamedTensors arrays;  // of a .npy file the only one, without a name
  Part part = Part::test;
  bool part_named = false;  // by the user: then arrays without it do not serve
};

struct Labels {
  std::vector<std::int32_t> values;  // empty: the set has none
  int classes = 0;
};

// Whether `spec` (PATH, PATH:train or PATH:test) names a .npz or .npy file.
bool is_array_file(std::string_view spec);

// Throws as read_npz and read_npy do.
ArraySet read_array_set(std::string_view spec, Part default_part);

// The arrays of these names; for a single name also x_train or x_test, x, or the array of a .npy file. Throws
// InputError listing the names when one is missing, and for an array without rows.
std::vector<Tensor> inputs_from(const ArraySet& set, const std::vector<std::string>& names);

// The integers of y_train or y_test, or of y, counting the classes of all three. Throws InputError when they
// are no labels. Names of inputs are none.
Labels labels_from(const ArraySet& set, const std::vector<std::string>& names);

}  // namespace halftone::data
