// Data sets kept as arrays of one .npz file.
#pragma once

#include <filesystem>

#include "halftone/data/dataset.h"
#include "halftone/data/npy.h"

namespace halftone::data {

// Images x_train or x_test with labels y_train or y_test. A file without them has `x` and `y`, which serve
// any part unless `part_named` says the user asked for this one. Images are uint8 or float32, [N,H,W]
// becoming [N,1,H,W]; labels are integers from 0, [N] or [N,1]; classes are counted over all labels in the
// file. Throws InputError when an array is missing or breaks these rules.
Dataset read_npz_set(const std::filesystem::path& path, Part part, bool part_named);

// Integers from 0, [N] or [N,1], as labels: kMostLabels at most. Throws InputError for anything else, by the header where
// that says it.
inline constexpr std::int64_t kMostLabels = std::int64_t{1} << 26;
std::vector<std::int32_t> labels_of(const StoredArray& y, std::string_view where);

}  // namespace halftone::data
