// NumPy's .npz files: a ZIP archive of named .npy arrays.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halftone/base/tensor.h"
#include "halftone/data/npy.h"

namespace halftone::data {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// Arrays in file order, named without ".npy"; members stored or deflated, checksums checked. Throws
// InputError for a damaged archive or array and for a repeated name, UnsupportedError for a member that isn't
// a .npy array of a known type, SystemError when the file can't be read.
NamedTensors read_npz(const std::filesystem::path& path);
NamedTensors parse_npz(std::span<const std::byte> bytes, std::string_view where);

// The same arrays, known by their headers: sizes that the archive says otherwise are refused before anything is unpacked.
std::vector<StoredArray> open_npz(const std::filesystem::path& path);

// Writes the arrays uncompressed in the given order; equal entries give equal bytes. Throws UsageError for an
// empty or repeated name and for 4 GiB or more.
void write_npz(const std::filesystem::path& path, const NamedTensors& entries);
std::vector<std::byte> encode_npz(const NamedTensors& entries);

}  // namespace halftone::data
