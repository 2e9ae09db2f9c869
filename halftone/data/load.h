// Data sets by name or path, wherever they lie.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/data/dataset.h"

namespace halftone::data {

// The set and part that a spec `NAME`, `NAME:train` or `NAME:test` asks for.
struct Source {
  std::string name;
  std::optional<Part> part;
};

Source parse_source(std::string_view spec);

// The sets known by name: digits is built in, the others are looked for in $HALFTONE_DATA/NAME, data/NAME and
// ../shared/data/NAME.
std::vector<std::string_view> dataset_names();

// NAME is one of dataset_names(); a directory laid out as idx_set.h or cifar10.h say; or a .npz file of
// images `x` (uint8 or float32; [N,H,W] is read as [N,1,H,W]) and integer labels `y`, or of x_train, y_train,
// x_test, y_test. A file of only x and y serves either part, unless the spec names one. Throws SystemError
// naming the places searched when it isn't there, UsageError when NAME is neither a known name nor a path,
// InputError when a file is damaged.
Dataset load(std::string_view spec, Part default_part);

// load() would find the part's files.
bool available(std::string_view spec, Part default_part = Part::test);

}  // namespace halftone::data
