// Data sets kept as four IDX files in a directory, as MNIST and Fashion-MNIST are.
#pragma once

#include <filesystem>

#include "halftone/data/dataset.h"

namespace halftone::data {

// Both files of the part are there: {train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte, with
// '-' or '.' before "idx", plain or with ".gz".
bool has_idx_set(const std::filesystem::path& directory, Part part);

// Images as uint8 [N,1,H,W], 10 classes. Throws SystemError when a file is missing, InputError when one is
// damaged, counts differ or a label is above 9.
Dataset read_idx_set(const std::filesystem::path& directory, Part part);

// The inverse: writes the part's two files, uncompressed, into an existing directory. Throws UsageError
// unless the images are uint8 [N,1,H,W] and the labels fit a byte.
void write_idx_set(const std::filesystem::path& directory, Part part, const Dataset& dataset);

}  // namespace halftone::data
